from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "products"
    help = "Bring products in. Repeatable: all of the file or none of it."
