from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "sales"
    help = "Bring sales in; a changed one is paid as a difference by the next night. Repeatable: all of the file or none of it."
