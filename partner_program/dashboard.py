"""The admin's home: what waits, what last night did, money, and the health of the programs. A fixed number of queries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest
from django.utils.translation import gettext as _

from commissions.models import Earning, Statement
from common import charts
from common.admin import change_url, list_url
from common.periods import add_months, month_of, program_today
from common.templatetags import show
from leads.models import Sale
from partner_program import waiting
from partners.models import Member
from tiers.models import Enrollment, Placement, Program, Run, Tier
from training.models import Certificate

MONTHS = 12
ACTIVE_MONTHS = 3
KEPT_SECONDS = 60  # figures that read every sale of a year


def add_to_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's hook. Each part is there for who may see what it counts."""
    today = program_today()
    parts: dict[str, tuple[str, Callable[[date], Any]]] = {
        "nights": ("tiers.view_run", nights),
        "money": ("commissions.view_earning", money),
        "health": ("tiers.view_placement", health),
        "sales": ("leads.view_sale", sales),
    }
    shown = {name: part(today) for name, (permission, part) in parts.items() if request.user.has_perm(permission)}
    return {**context, "today": today, "queues": waiting.queues(request), **shown}


@dataclass(frozen=True, slots=True)
class Night:
    run: Run
    url: str
    moved_up: int
    moved_down: int
    posted: int
    failed: int


def nights(today: date) -> list[Night]:
    """The latest night of each program."""
    latest = Run.objects.nights().order_by().values("program").annotate(last=Max("id")).values("last")
    runs = Run.objects.filter(pk__in=latest).select_related("program").order_by("program_id")
    found = runs.annotate(failed=Count("chunks", filter=Q(chunks__state="failed")))
    return [
        Night(
            run=run, url=change_url(run), moved_up=run.totals.get("moved_up", 0), failed=run.failed,
            moved_down=run.totals.get("moved_down", 0), posted=run.totals.get("posted", 0),
        )
        for run in found
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """What the program owes in one currency."""

    currency: str
    this_month: Decimal
    last_month: Decimal
    to_issue: Decimal
    drafts: int
    this_url: str
    last_url: str
    drafts_url: str


def money(today: date) -> list[Money]:
    """Accrued by the sales of this month and of the last one, and the drafts of months that are over, by currency."""
    month = month_of(today)
    before = month_of(add_months(month.starts_on or today, -1))
    rows = (
        Earning.objects.filter(earned_on__gte=before.starts_on, earned_on__lt=month.ends_on)
        .order_by()
        .values_list("currency")
        .annotate(
            this=Sum("amount", filter=Q(earned_on__gte=month.starts_on)),
            last=Sum("amount", filter=Q(earned_on__lt=month.starts_on)),
        )
    )  # fmt: skip
    accrued = {currency: (this or Decimal(0), last or Decimal(0)) for currency, this, last in rows}
    drafts = Statement.objects.filter(state=Statement.State.DRAFT, ends_on__lte=today)
    sums = drafts.order_by().values_list("currency").annotate(Sum("amount"), Count("pk"))
    owed = {currency: (amount, number) for currency, amount, number in sums}
    return [
        Money(
            currency, *accrued.get(currency, (Decimal(0), Decimal(0))), *owed.get(currency, (Decimal(0), 0)),
            list_url(Earning, currency__exact=currency, earned_on__gte=month.starts_on, earned_on__lt=month.ends_on),
            list_url(Earning, currency__exact=currency, earned_on__gte=before.starts_on, earned_on__lt=before.ends_on),
            list_url(Statement, state__exact="draft", currency__exact=currency, ends_on__lte=today),
        )
        for currency in sorted({*accrued, *owed})
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TierShare:
    tier: Tier
    partners: int
    width: str  # of the bar, in percent of the longest
    url: str


@dataclass(frozen=True, slots=True)
class Health:
    program: Program
    partners: int
    tiers: list[TierShare]
    active_share: Decimal | None
    certified_share: Decimal | None


def health(today: date) -> list[Health]:
    """By program: partners in each tier; those with a sale in the last three months; current sales people certified."""
    held = (
        Placement.objects.in_force_on(today)
        .filter(enrollment__in=Enrollment.objects.in_force_on(today))
        .order_by()
        .values_list("enrollment__program", "tier__code")
        .annotate(Count("id"), Max("tier__id"))
    )
    counted = [(program, code, number, tier) for program, code, number, tier in held]
    tiers = Tier.objects.in_bulk([tier for *_rest, tier in counted])
    active, people = _active(today), _people(today)
    found = []
    for program in Program.objects.order_by("pk"):
        own = sorted(
            ((tiers[tier], number) for key, _code, number, tier in counted if key == program.pk),
            key=lambda pair: -pair[0].rank,
        )
        longest = max((number for _tier, number in own), default=1)
        whole = sum(number for _tier, number in own)
        shares = [
            TierShare(
                tier, number, f"{100 * number / longest:.1f}%",
                list_url(Placement, tier__code=tier.code, enrollment__program__id__exact=program.pk, ends_on__isempty=1),
            )
            for tier, number in own
        ]  # fmt: skip
        certified, sellers = people.get(program.pk, (0, 0))
        found.append(Health(program, whole, shares, share(active.get(program.pk, 0), whole), share(certified, sellers)))
    return found


def share(some: int, whole: int) -> Decimal | None:
    """None of nothing."""
    return Decimal(some) / whole if whole else None


def _active(today: date) -> dict[int, int]:
    """Enrolled partners with a sale since three months ago, by program."""
    enrolled = Enrollment.objects.in_force_on(today).filter(
        partner__sales__sold_on__gte=add_months(today, -ACTIVE_MONTHS), partner__sales__sold_on__lte=today,
        partner__sales__voided_at__isnull=True,
    )  # fmt: skip
    rows = enrolled.order_by().values_list("program").annotate(Count("partner", distinct=True))
    kept: dict[int, int] = _kept("active", today, lambda: dict(rows))
    return kept


def _people(today: date) -> dict[int, tuple[int, int]]:
    """Certified sales people, and all of them, of enrolled partners, by program."""
    rows = (
        Member.objects.on(today)
        .filter(job=Member.Job.SALES, partner__enrollments__in=Enrollment.objects.in_force_on(today))
        .order_by()
        .values_list("partner__enrollments__program")
        .annotate(
            certified=Count("pk", filter=Q(pk__in=Certificate.objects.valid_on(today).values("member")), distinct=True),
            people=Count("pk", distinct=True),
        )
    )
    return {program: (certified, number) for program, certified, number in rows}


@dataclass(frozen=True, slots=True)
class MonthSales:
    month: date
    amount: Decimal
    url: str


@dataclass(frozen=True, slots=True)
class Sales:
    """Net sales of twelve months in one currency: the chart and the table that says the same."""

    currency: str
    total: Decimal
    chart: charts.Chart
    months: list[MonthSales]


def sales(today: date) -> list[Sales]:
    starts = [add_months(today.replace(day=1), back - MONTHS + 1) for back in range(MONTHS)]
    rows = (
        Sale.objects.standing()
        .filter(sold_on__gte=starts[0], sold_on__lt=add_months(starts[-1], 1))
        .order_by()
        .annotate(month=TruncMonth("sold_on"))
        .values_list("currency", "month")
        .annotate(Sum("amount"))
    )
    sums: dict[str, dict[date, Decimal]] = {}
    for currency, month, amount in _kept("sales", today, lambda: list(rows)):
        sums.setdefault(currency, {})[month] = amount
    return [_sales(currency, starts, found) for currency, found in sorted(sums.items())]


def _sales(currency: str, starts: list[date], found: dict[date, Decimal]) -> Sales:
    months = [
        MonthSales(
            start, found.get(start, Decimal(0)),
            list_url(Sale, currency__exact=currency, sold_on__gte=start, sold_on__lt=add_months(start, 1)),
        )
        for start in starts
    ]  # fmt: skip
    data = [_datum(one, currency) for one in months]
    title = _("Net sales by month, in %(currency)s") % {"currency": currency}
    chart = charts.columns(title, data, lambda value: show.money_short(value, currency))
    return Sales(currency, sum((one.amount for one in months), Decimal(0)), chart, months)


def _datum(one: MonthSales, currency: str) -> charts.Datum:
    return charts.Datum(
        label=show.month_letter(one.month), short_label=show.month_letter(one.month), value=one.amount,
        says=f"{show.month(one.month)}: {show.money(one.amount, currency)}",
        below=str(one.month.year) if one.month.month == 1 else "",
    )  # fmt: skip


def _kept(name: str, today: date, read: Callable[[], Any]) -> Any:
    return cache.get_or_set(f"dashboard.{name}.{today}", read, KEPT_SECONDS)
