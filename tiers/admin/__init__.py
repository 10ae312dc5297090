"""Staff's pages of the tier engine: the program editor, and what partners hold. The nights mix apps: partner_program."""

from tiers.admin import awards, benefits, deciding, dry_runs, editions, programs, standing  # noqa: F401  # registers
