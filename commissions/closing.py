"""What is missing before a month is closed: a checklist that every app may add to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commissions import payees
from commissions.models import Dispute, Statement, StatementLine, Unpaid
from commissions.reckoning import NO_RATE
from commissions.reviews import OWED
from commissions.statements import waiting
from common.periods import Period, program_today
from imports.models import Import
from partners.models import Partner
from tiers.models import Edition, Program, Run

SHOWN = 8  # rows of a check that the page shows


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is missing, with the page where it is mended."""

    says: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """How many are missing, the first of them, and the list of them all."""

    count: int = 0
    rows: Sequence[Row] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`fn(month)` says what is missing: nothing is `Found()`, and None that nobody here can tell. `label` says what should be."""

    code: str
    label: Any  # lazy text
    fn: Callable[[Period], Found | None]


@dataclass(frozen=True, slots=True)
class Checked:
    check: Check
    found: Found = field(default_factory=Found)

    @property
    def is_met(self) -> bool:
        return not self.found.count


_registered: dict[str, Check] = {}


def register_check(check: Check) -> None:
    """Add to the checklist, at its end. The same code again takes the place of the earlier one."""
    _registered[check.code] = check


def checklist(month: Period) -> list[Checked]:
    """Every check of the month, in the order they were registered. A few queries each."""
    asked = ((check, check.fn(month)) for check in _registered.values())
    return [Checked(check, found) for check, found in asked if found is not None]


def _first(rows: QuerySet[Any], says: Callable[[Any], str], model: str, query: str) -> Found:
    count = rows.count()
    if not count:
        return Found()
    app = model.replace(".", "_")
    shown = [Row(says(one), reverse(f"admin:{app}_change", args=[one.pk])) for one in rows[:SHOWN]]
    return Found(count, shown, f"{reverse(f'admin:{app}_changelist')}?{query}")


def nights(month: Period) -> Found:
    """Programs with an edition in force whose night after the month did not end well."""
    done = Run.objects.nights().filter(program=OuterRef("pk"), state=Run.State.DONE, day__gte=month.ends_on)
    in_force = Edition.objects.filter(
        program=OuterRef("pk"), state=Edition.State.PUBLISHED, starts_on__lt=month.ends_on
    )  # fmt: skip
    waiting = Program.objects.filter(Exists(in_force)).exclude(Exists(done)).order_by("pk")
    rows = [Row(str(program.name), f"{reverse('admin:tiers_run_changelist')}?program__id__exact={program.pk}") for program in waiting]  # fmt: skip
    return Found(len(rows), rows[:SHOWN], reverse("admin:tiers_run_changelist"))


def refused_imports(month: Period) -> Found:
    """Imports since the month began that were refused, with none of the same kind taken after them."""
    later = Import.objects.filter(kind=OuterRef("kind"), pk__gt=OuterRef("pk"), state=Import.State.DONE)
    refused = Import.objects.filter(state=Import.State.REFUSED, created_at__date__gte=month.starts_on)
    return _first(refused.exclude(Exists(later)).order_by("pk"), str, "imports.import", "state__exact=refused")


def questioned_drafts(month: Period) -> Found:
    """Open disputes about lines of the drafts to be issued: the lines are held, and better answered before."""
    on_drafts = StatementLine.objects.filter(
        earning=OuterRef("earning"), statement__state=Statement.State.DRAFT, statement__starts_on__lt=month.ends_on
    )  # fmt: skip
    rows = Dispute.objects.open().filter(Exists(on_drafts)).select_related("partner").order_by("due_on", "pk")
    return _first(rows, lambda one: f"{one.partner} · {one.get_category_display()}", "commissions.dispute", "state__exact=open")  # fmt: skip


def waiting_lines(month: Period) -> Found:
    """Ledger lines of the month that no statement holds: the night after it puts them there."""
    rows = waiting(program_today()).filter(earned_on__gte=month.starts_on, earned_on__lt=month.ends_on).order_by("pk")
    query = f"earned_on__gte={month.starts_on}&earned_on__lt={month.ends_on}&statement_line__isnull=1"
    return _first(rows.select_related("partner"), lambda one: f"{one.partner} · {one}", "commissions.earning", query)


def without_rate(month: Period) -> Found:
    """Facts of the month that wait for an exchange rate: they are paid by the night after it is imported."""
    rows = Unpaid.objects.filter(terms__reason=NO_RATE, terms_on__gte=month.starts_on, terms_on__lt=month.ends_on)
    query = f"reason={NO_RATE}&terms_on__gte={month.starts_on}&terms_on__lt={month.ends_on}"
    return _first(
        rows.select_related("partner", "sale").order_by("terms_on", "pk"),
        lambda one: f"{one.partner} · {one.sale or one}", "commissions.unpaid", query,
    )  # fmt: skip


def payees_missing(month: Period) -> Found | None:
    """Partners with money on the drafts, or waiting for a payment, whose payment details nobody has."""
    if not payees.anybody_knows():
        return None
    to_pay = Statement.objects.filter(
        state__in=(Statement.State.DRAFT, *OWED), total__gt=0, starts_on__lt=month.ends_on
    )
    missing = payees.missing(set(to_pay.order_by().values_list("partner_id", flat=True).distinct()))
    rows = Partner.objects.filter(pk__in=missing).order_by(F("name"), "pk")
    return _first(rows, lambda one: str(one.name), "partners.partner", "")


def register() -> None:
    for check in (
        Check("nights", _("The nights after the month have run"), nights),
        Check("imports", _("No import was refused and left so"), refused_imports),
        Check("lines", _("Every line of the month is on a statement"), waiting_lines),
        Check("rates", _("No sale waits for an exchange rate"), without_rate),
        Check("disputes", _("No line of a draft is questioned"), questioned_drafts),
        Check("payees", _("Every partner with money has payment details"), payees_missing),
    ):
        register_check(check)
