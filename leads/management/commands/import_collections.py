from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "collections"
    help = "Bring in what was collected for sales. Repeatable: all of the file or none of it."
