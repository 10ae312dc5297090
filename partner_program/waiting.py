"""What waits for staff: each queue with its count and the age of its oldest, and the list behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet, Value
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commissions.models import Adjustment, Dispute, Statement
from common.periods import month_of, program_today
from imports.models import Import
from invoices.models import PartnerIdentity, UploadedInvoice
from invoices.models import Waiting as InvoiceWaiting
from leads.models import Deal, Lead
from payouts.models import PayeeAccount, PayoutBatch
from points.models import Claim
from rates.models import RateSource
from tiers.models import Proposal, Run


@dataclass(frozen=True, slots=True)
class Kind:
    key: str
    title: Any  # lazy text
    model: str  # "leads.lead"
    icon: str
    rows: Callable[[date], QuerySet[Any]]
    since: str | TruncDate  # the day since when a row waits
    query: Callable[[date], str]  # what filters the list to these rows


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that somebody may work. `days` is how long its oldest has waited."""

    key: str
    title: Any
    icon: str
    count: int
    days: int
    url: str


def _failed_nights(today: date) -> QuerySet[Run]:
    """Programs whose latest night failed: an older failure was made good by a later night."""
    latest = Run.objects.nights().order_by().values("program").annotate(last=Max("id")).values("last")
    return Run.objects.filter(pk__in=latest, state=Run.State.FAILED)


KINDS = (
    Kind("leads", _("Leads without a partner"), "leads.lead", "person_search",
         lambda today: Lead.objects.filter(status=Lead.Status.NEW, partner=None), TruncDate("created_at"),
         lambda today: "status__exact=new&partner__isnull=1"),
    Kind("deals", _("Deals to approve"), "leads.deal", "handshake",
         lambda today: Deal.objects.filter(status=Deal.Status.SUBMITTED), TruncDate("registered_at"),
         lambda today: "status__exact=submitted"),
    Kind("proposals", _("Qualified partners to confirm"), "tiers.proposal", "how_to_reg",
         lambda today: Proposal.objects.filter(state=Proposal.State.OPEN), "proposed_on",
         lambda today: "state__exact=open"),
    Kind("claims", _("Claims of points to decide"), "points.claim", "stars",
         lambda today: Claim.objects.filter(state=Claim.State.SUBMITTED), TruncDate("submitted_at"),
         lambda today: "state__exact=submitted"),
    Kind("statements", _("Statements to issue"), "commissions.statement", "request_quote",
         lambda today: Statement.objects.filter(state=Statement.State.DRAFT, ends_on__lte=today), "ends_on",
         lambda today: f"state__exact=draft&ends_on__lte={today.isoformat()}"),
    Kind("reviews", _("Statements to approve"), "commissions.statement", "order_approve",
         lambda today: Statement.objects.filter(state=Statement.State.IN_REVIEW, review_ends_on__lte=today),
         "review_ends_on", lambda today: f"state__exact=in_review&review_ends_on__lte={today.isoformat()}"),
    Kind("failed", _("Payments that failed"), "commissions.statement", "credit_card_off",
         lambda today: Statement.objects.filter(state=Statement.State.FAILED), "ends_on",
         lambda today: "state__exact=failed"),
    Kind("disputes", _("Disputes to answer"), "commissions.dispute", "contact_support",
         lambda today: Dispute.objects.open(), TruncDate("opened_at"), lambda today: "state__exact=open"),
    Kind("invoices-sent", _("Partners’ invoices to accept"), "invoices.uploadedinvoice", "mark_email_unread",
         lambda today: UploadedInvoice.objects.filter(state=UploadedInvoice.State.SUBMITTED), TruncDate("sent_at"),
         lambda today: "state__exact=submitted"),
    Kind("identities", _("Legal details to look at"), "invoices.partneridentity", "badge",
         lambda today: PartnerIdentity.objects.filter(state=PartnerIdentity.State.SUBMITTED), TruncDate("recorded_at"),
         lambda today: "state__exact=submitted"),
    Kind("invoices-waiting", _("Invoices that cannot be written"), "invoices.waiting", "pending_actions",
         lambda today: InvoiceWaiting.objects.all(), TruncDate("since"), lambda today: ""),
    Kind("payee-accounts", _("Payee accounts to confirm"), "payouts.payeeaccount", "account_balance",
         lambda today: PayeeAccount.objects.waiting(), TruncDate("asked_at"), lambda today: "state__exact=waiting"),
    Kind("payout-batches", _("Batches to approve or to pay"), "payouts.payoutbatch", "payments",
         lambda today: PayoutBatch.objects.filter(state__in=["draft", "approved"]), TruncDate("built_at"),
         lambda today: "state__in=draft,approved"),
    Kind("adjustments", _("Adjustments to approve"), "commissions.adjustment", "edit_note",
         lambda today: Adjustment.objects.filter(state=Adjustment.State.PROPOSED), TruncDate("proposed_at"),
         lambda today: "state__exact=proposed"),
    Kind("nights", _("Nights that failed"), "tiers.run", "bedtime",
         _failed_nights, TruncDate("started_at"), lambda today: "state__exact=failed"),
    Kind("rates", _("Exchange rates that no longer come"), "rates.ratesource", "currency_exchange",
         lambda today: RateSource.objects.filter(pk=settings.EXCHANGE_RATE_SOURCE).silent_on(today), "newest_on",
         lambda today: f"code__exact={settings.EXCHANGE_RATE_SOURCE}&silent=1"),
    Kind("imports", _("Imports that were refused"), "imports.import", "upload_file",
         lambda today: Import.objects.filter(state=Import.State.REFUSED, created_at__date__gte=month_of(today).starts_on),
         TruncDate("created_at"), lambda today: f"state__exact=refused&created_at__date__gte={month_of(today).starts_on}"),
)  # fmt: skip


def queues(request: HttpRequest) -> list[Queue]:
    """The queues that the reader may see, empty ones too, in the order of the sidebar: one query, once for each request."""
    known: list[Queue] | None = getattr(request, "_waiting", None)
    if known is None:
        today = program_today()
        seen = [kind for kind in KINDS if request.user.has_perm(_view(kind))]
        found = _counted(seen, today)
        known = [_queue(kind, *found[kind.key], today) for kind in seen]
        request._waiting = known  # type: ignore[attr-defined]
    return known


def count(request: HttpRequest, key: str) -> int:
    return next((queue.count for queue in queues(request) if queue.key == key), 0)


def _view(kind: Kind) -> str:
    app, name = kind.model.split(".")
    return f"{app}.view_{name}"


def _counted(kinds: Sequence[Kind], today: date) -> dict[str, tuple[int, date | None]]:
    """Of each queue: how many wait, and the day since when the oldest does."""
    if not kinds:
        return {}
    first, *others = (_count(kind, today) for kind in kinds)
    return {key: (number, since) for key, number, since in first.union(*others, all=True)}


def _count(kind: Kind, today: date) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = (
        kind.rows(today)
        .order_by()
        .annotate(queue=Value(kind.key))
        .values("queue")
        .annotate(number=Count("pk"), oldest=Min(kind.since))
        .values_list("queue", "number", "oldest")
    )
    return counted


def _queue(kind: Kind, number: int, since: date | None, today: date) -> Queue:
    address = reverse(f"admin:{kind.model.replace('.', '_')}_changelist")
    return Queue(
        key=kind.key, title=kind.title, icon=kind.icon, count=number, days=(today - since).days if since else 0,
        url=f"{address}?{kind.query(today)}",
    )  # fmt: skip
