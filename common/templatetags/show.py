"""How values are shown: amounts, days and shares as the reader's language writes them, tiers and states as marks."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_currency, format_currency, format_decimal, format_percent
from django import template
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

TONES = {
    "positive": {"accepted", "active", "approved", "converted", "done", "paid", "won", "published", "earned", "granted", "partly",
                 "in_force", "settled"},
    "warning": {"offered", "submitted", "waiting", "draft", "lost_tier", "blocked", "open"},
    "negative": {"refused", "failed", "suspended", "declined", "lost", "partly_failed", "returned"},
    "info": {"running", "new", "joined", "accrual", "in_review", "scheduled", "sent", "under_way"},
}  # fmt: skip
MONTH_AND_YEAR = "LLLL y"


@lru_cache(maxsize=8)
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def locale() -> Locale:
    """Babel's locale of the reader's language."""
    return _locale(get_language() or "en")


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """1234.5 in EUR: “€1,234.50”, “1 234,50 €”. Nothing for no amount."""
    return "" if amount is None else format_currency(amount, currency, locale=locale())


@register.filter
def money_short(amount: Decimal | None, currency: str) -> str:
    """For axes and headlines, without the minor unit: “$50,000”; from a million on, “$1.2M”."""
    if amount is None:
        return ""
    if abs(amount) >= 1_000_000:
        return format_compact_currency(amount, currency, locale=locale(), fraction_digits=1)
    pattern = locale().currency_formats["standard"].pattern.replace(".00", "")
    return format_currency(amount, currency, format=pattern, locale=locale(), currency_digits=False)


def money_compact(amount: Decimal, currency: str) -> str:
    """For the scale of a small chart: “$15K”, “15 k €”."""
    return format_compact_currency(amount, currency, locale=locale(), fraction_digits=0 if amount % 1000 == 0 else 1)


@register.filter
def money_signed(amount: Decimal, currency: str) -> str:
    """With its sign, as differences are read: “+$12.30”, “−$12.30”."""
    shown = format_currency(abs(amount), currency, locale=locale())
    return f"{'−' if amount < 0 else '+'}{shown}"


@register.filter
def money_exact(amount: Decimal, currency: str) -> str:
    """With every decimal it has, as before rounding: “$3.329667”."""
    shown = amount.normalize()
    return format_currency(shown, currency, locale=locale(), currency_digits=False, decimal_quantization=False)


def _as_day(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


@register.filter
def day(value: date | datetime | None) -> str:
    """“2 June 2020”, “2 juin 2020”, “1er juin 2020”. A moment is shown as its day where the program lives."""
    if value is None:
        return ""
    return _first(format_date(_as_day(value), "d MMMM y" if locale().language == "en" else "long", locale=locale()))


@register.filter
def day_short(value: date | datetime | None) -> str:
    """“2 Jun 2020”, “2 juin 2020”, “1er juin 2020”."""
    return "" if value is None else _first(format_date(_as_day(value), "d MMM y", locale=locale()))


def _first(shown: str) -> str:
    """French writes the first of a month as an ordinal."""
    return f"1er{shown[1:]}" if locale().language == "fr" and shown.startswith("1 ") else shown


@register.filter
def month(value: date | None) -> str:
    """“June 2020”, “juin 2020”."""
    return "" if value is None else format_date(value, MONTH_AND_YEAR, locale=locale())


@register.filter
def month_letter(value: date) -> str:
    """The month's initial, for axes: “J”."""
    return format_date(value, "LLLLL", locale=locale())


@register.filter
def at(mapping: Mapping[str, Any], key: str) -> Any:
    """The value of a mapping under a key that a template has; the key itself where there is none."""
    return mapping.get(key, key)


@register.filter
def days_until(value: date, today: date) -> int:
    return (value - today).days


@register.filter
def percent(fraction: Decimal | Fraction | float | None, decimals: int = 2) -> str:
    """0.15: “15%”, “15 %”; at most two decimals, cut rather than rounded up: 79.999 % is not shown as 80 %."""
    if fraction is None:
        return ""
    scale = 10 ** (decimals + 2)
    exact = Fraction(fraction)
    cut = Decimal(int(exact * scale)) / scale
    pattern = locale().percent_formats[None].pattern.replace("#,##0", "#,##0." + "#" * decimals)
    return format_percent(cut, format=pattern, locale=locale())


@register.filter
def quantity(number: Decimal | int | float | None) -> str:
    """1234: “1,234”, “1 234”."""
    return "" if number is None else format_decimal(number, locale=locale())


@register.filter
def exact(number: Decimal | str) -> str:
    """With every decimal it has, and none more: “1,234.5”, “300”."""
    return format_decimal(Decimal(number).normalize(), locale=locale(), decimal_quantization=False)


@register.filter
def exact_signed(number: Decimal) -> str:
    """With its sign, as differences are read: “+300”, “−150”."""
    return f"{'−' if number < 0 else '+'}{exact(abs(number))}"


@register.filter
def kilometres(distance: float) -> str:
    """“0.8”, “12”: one decimal below ten kilometres."""
    return format_decimal(round(distance, 1) if distance < 10 else round(distance), locale=locale())


@register.filter
def country(code: str) -> str:
    """“FR”: “France”. A code nobody knows is shown as it is."""
    return str(locale().territories.get(code, code))


@register.filter
def initials(name: str) -> str:
    """“Cycles Dupont SARL”: “CD”."""
    words = [word for word in str(name).split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper()


@register.inclusion_tag("components/tier_mark.html")
def tier_mark(tier: Any, size: str = "") -> dict[str, Any]:
    """A tier's shield in its colour, with its rank as bars, and its name. `size`: "large" for a headline."""
    bars = [{"x": 6.2 + 4.2 * at, "height": 4 + 2 * at, "y": 15 - 2 * at} for at in range(min(tier.rank, 3))]
    width = 4.2 * len(bars) - 1.2
    for bar in bars:
        bar["x"] += (11.6 - width) / 2
    return {"tier": tier, "size": size, "bars": bars}


@register.inclusion_tag("components/badge.html")
def status_badge(subject: Any) -> dict[str, Any]:
    """The badge of an object's `status`, `state` or `answer`, with its label."""
    for name in ("status", "state", "answer"):
        value = getattr(subject, name, None)
        if value is not None:
            label = getattr(subject, f"get_{name}_display")()
            return {"label": label or _("Waiting"), "tone": tone(value or "waiting")}
    raise template.TemplateSyntaxError(f"{type(subject).__name__} has no status, state or answer")


@register.filter
def tone(value: str) -> str:
    """The colour of a state: positive, warning, negative, info or neutral."""
    return next((tone for tone, values in TONES.items() if value in values), "neutral")


@register.inclusion_tag("components/bar.html")
def bar(share: float, label: str, target: float | None = None, met: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    """A bar filled to `share` (0 to 1), with a mark at `target` where that is not its end. `label` is read aloud."""
    return {
        "width": f"{100 * min(max(share, 0), 1):.2f}",
        "target": None if target is None else f"{100 * target:.2f}",
        "label": label,
        "met": met,
    }


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: dict[str, Any], page: Any) -> dict[str, Any]:
    """Links to the pages around `page` (django.core.paginator), keeping the query string."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {"page": page, "query": query.urlencode()}
