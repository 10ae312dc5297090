"""Days and periods, and the one clock. Every interval is half-open: it holds its first day and not its last bound."""

from datetime import date

from django.utils import timezone

from common.days import Period, add_months, month_of, trailing_months

__all__ = ["Period", "add_months", "month_of", "program_today", "trailing_months"]


def program_today() -> date:
    """Today where the program lives (settings.TIME_ZONE). The one place that reads the clock for a day."""
    return timezone.localdate()
