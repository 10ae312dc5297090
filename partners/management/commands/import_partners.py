from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "partners"
    help = "Bring partners in, with their main location. Repeatable: all of the file or none of it."
