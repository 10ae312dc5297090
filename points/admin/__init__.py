"""Staff's pages of points."""

from points.admin import ledger, table  # noqa: F401  # they register themselves
