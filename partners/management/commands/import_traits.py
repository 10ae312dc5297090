from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "traits"
    help = (
        "Bring traits of partners in, which conditions of rules ask about. Repeatable: all of the file or none of it."
    )
