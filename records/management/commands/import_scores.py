from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "scores"
    help = "Bring scores in. Repeatable: all of the file or none of it."
