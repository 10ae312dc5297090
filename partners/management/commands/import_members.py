from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "members"
    help = "Bring the people of partners in. Repeatable: all of the file or none of it."
