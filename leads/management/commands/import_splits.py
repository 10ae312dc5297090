from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "splits"
    help = "Bring in who shares a sale. Repeatable: all of the file or none of it."
