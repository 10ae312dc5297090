from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "awards"
    help = "Bring awards that partners hold elsewhere in. Repeatable: all of the file or none of it."
