from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "plan_targets"
    help = "Bring targets of partners’ plans in. Repeatable: all of the file or none of it."
