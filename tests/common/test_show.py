"""How days are written in each language."""

from datetime import date

import pytest
from django.utils import translation

from common.templatetags import show


@pytest.mark.parametrize(
    ("language", "day", "long", "short"),
    [
        ("en", date(2026, 12, 1), "1 December 2026", "1 Dec 2026"),
        ("en", date(2026, 12, 21), "21 December 2026", "21 Dec 2026"),
        ("fr", date(2026, 12, 1), "1er décembre 2026", "1er déc. 2026"),
        ("fr", date(2026, 12, 2), "2 décembre 2026", "2 déc. 2026"),
        ("fr", date(2026, 12, 11), "11 décembre 2026", "11 déc. 2026"),
    ],
)
def test_days_as_people_write_them(language: str, day: date, long: str, short: str) -> None:
    with translation.override(language):
        assert (show.day(day), show.day_short(day)) == (long, short)


def test_no_day_is_empty() -> None:
    assert (show.day(None), show.day_short(None)) == ("", "")
