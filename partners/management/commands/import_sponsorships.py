from imports.commands import ImportCommand


class Command(ImportCommand):
    kind = "sponsorships"
    help = "Bring in who sponsors whom. Repeatable: all of the file or none of it."
