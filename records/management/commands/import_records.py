from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "records"
    help = "Bring records of any kind in. Repeatable: all of the file or none of it."
