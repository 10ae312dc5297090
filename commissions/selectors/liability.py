"""What is owed to partners: by currency, by how far it is on its way to be paid, and by age."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, F, Max, QuerySet, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from commissions.models import Earning, Statement
from common.money import AmountField

NOTHING = Decimal(0)
State = Statement.State
AGES = (
    ("30", _("up to 30 days"), 30),
    ("60", _("31 to 60 days"), 60),
    ("90", _("61 to 90 days"), 90),
    ("more", _("more than 90 days"), None),
)
STANDINGS = {
    "hold": _("Posted, on hold"),
    "posted": _("Posted, on no statement yet"),
    "draft": _("On drafts"),
    "in_review": _("In review"),
    "approved": _("Approved"),
    "scheduled": _("Payment scheduled"),
    "stopped": _("Blocked, or payment failed"),
    "carried": _("To be carried to the next statement"),
    "questioned": _("Questioned lines, held"),
}
OF_STATE = {
    State.DRAFT: "draft", State.IN_REVIEW: "in_review", State.APPROVED: "approved", State.SCHEDULED: "scheduled",
    State.BLOCKED: "stopped", State.FAILED: "stopped", State.CARRIED: "carried", State.CANCELLED: "carried",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands in one way in one currency, by age; `until` is the last day that any of it is on hold."""

    standing: str
    by_age: tuple[Decimal, ...]  # as AGES
    until: date | None = None

    @property
    def label(self) -> Any:
        return STANDINGS[self.standing]

    @property
    def total(self) -> Decimal:
        return sum(self.by_age, NOTHING)


@dataclass(frozen=True, slots=True)
class Liability:
    """In one currency. The total is the whole ledger less what was paid, without tax."""

    currency: str
    rows: tuple[Owed, ...]

    @property
    def by_age(self) -> tuple[Decimal, ...]:
        return tuple(sum(ages, NOTHING) for ages in zip(*(row.by_age for row in self.rows), strict=True))

    @property
    def total(self) -> Decimal:
        return sum((row.total for row in self.rows), NOTHING)


def liability(on: date) -> list[Liability]:
    """As things stand now, aged on the day `on`: lines by the day they were earned on, statements by their last day, without tax.

    Lines that are questioned and held count by themselves, however old. Three queries.
    """
    sums: dict[str, dict[str, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    until: dict[str, date] = {}
    for currency, standing, age, amount, last in _lines(on):
        sums[currency][standing][age] += amount
        if standing == "hold":
            until[currency] = max(until.get(currency, last), last)
    for currency, state, age, amount in _statements(on):
        sums[currency][OF_STATE[state]][age] += amount
    for currency, held, released in (
        Statement.objects.order_by().values_list("currency").annotate(Sum("held"), Sum("released"))
    ):
        if held != released:
            sums[currency]["questioned"][AGES[0][0]] += held - released
    return [
        Liability(
            currency,
            tuple(
                Owed(
                    standing, tuple(by_age[key] for key, _label, _days in AGES),
                    until.get(currency) if standing == "hold" else None,
                )
                for standing in STANDINGS if (by_age := sums[currency].get(standing)) and any(by_age.values())
            ),
        )
        for currency in sorted(sums)
    ]  # fmt: skip


def _aged(on: date, field: str) -> Case:
    bounds = [
        When(**{f"{field}__gte": on - timedelta(days=days)}, then=Value(key)) for key, _label, days in AGES if days
    ]
    return Case(*bounds, default=Value(AGES[-1][0]), output_field=CharField())


def _lines(on: date) -> QuerySet[Any]:
    """Those on no statement."""
    rows = Earning.objects.filter(statement_line=None).order_by().annotate(
        standing=Case(When(available_on__gt=on, then=Value("hold")), default=Value("posted"), output_field=CharField()),
        age=_aged(on, "earned_on"),
    )  # fmt: skip
    return rows.values_list("currency", "standing", "age").annotate(Sum("amount"), Max("available_on"))


def _statements(on: date) -> QuerySet[Any]:
    """What unpaid ones come to without tax. What a carried one came to is in the one it is carried to."""
    rows = Statement.objects.exclude(state=State.PAID).filter(carried_to=None).order_by()
    net = Sum(F("total") - F("tax"), output_field=AmountField())
    return rows.annotate(age=_aged(on, "ends_on")).values_list("currency", "state", "age").annotate(owed=net)
