from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "certificates"
    help = "Bring certificates in. Repeatable: all of the file or none of it."
