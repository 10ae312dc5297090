"""What can be paid, what a batch holds, and what a partner sees of its payments."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from commissions.models import Statement
from common.templatetags.show import day as day_shown
from invoices.selectors import held_from_payment
from partners.models import Partner
from payouts import reasons
from payouts.bank_details import bic_is_another_banks
from payouts.models import BankFile, PayeeAccount, PayoutItem
from payouts.models.accounts import Rail

SHOWN = 200  # rows of each list of a bank file on its page
MANY_TIMES = 3  # an amount this many times the largest that a partner was paid before is looked at


class Obstacle(StrEnum):
    NONE = ""
    NOT_APPROVED = "not_approved"
    IN_A_BATCH = "in_a_batch"
    NOTHING_TO_PAY = "nothing_to_pay"
    PARTNER_STOPPED = "partner_stopped"
    NO_ACCOUNT = "no_account"
    ACCOUNT_WAITS = "account_waits"
    ACCOUNT_FLAGGED = "account_flagged"
    TOO_NEW = "too_new"
    OTHER_RAIL = "other_rail"
    NO_INVOICE = "no_invoice"


SAYS: dict[Obstacle, Any] = {
    Obstacle.NOT_APPROVED: _("the statement is not approved"),
    Obstacle.IN_A_BATCH: _("the statement is in another batch"),
    Obstacle.NOTHING_TO_PAY: _("there is nothing to pay"),
    Obstacle.PARTNER_STOPPED: _("the partner is suspended"),
    Obstacle.NO_ACCOUNT: _("the partner gave no account"),
    Obstacle.ACCOUNT_WAITS: _("its account waits for confirmation"),
    Obstacle.ACCOUNT_FLAGGED: _("the bank refused its account"),
    Obstacle.TOO_NEW: _("its account is too new"),
    Obstacle.OTHER_RAIL: _("its account is paid by other means"),
    Obstacle.NO_INVOICE: _("its invoice is missing, or not decided yet"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement that could be paid, the account it would go to, and what stands against it."""

    statement: Statement
    account: PayeeAccount | None
    obstacle: Obstacle

    @property
    def says(self) -> str:
        said = str(SAYS.get(self.obstacle, ""))
        if self.obstacle is Obstacle.TOO_NEW and self.account is not None:
            return f"{said} ({day_shown(self.account.usable_on)})"
        return said


def candidates(
    *, rail: str, currency: str, execute_on: date, statement_ids: Collection[int] | None = None
) -> list[Candidate]:  # fmt: skip
    """Approved statements of a currency, or those asked for, each with what stands against paying it. Seven queries at most."""
    chosen = Statement.objects.filter(currency=currency)
    if statement_ids is None:
        chosen = chosen.filter(state=Statement.State.APPROVED)
    else:
        chosen = chosen.filter(pk__in=statement_ids)
    under_way = PayoutItem.objects.filter(statement=OuterRef("pk"), state__in=["under_way", "paid"])
    statements = list(
        chosen.annotate(is_in_a_batch=Exists(under_way)).select_related("partner").order_by("partner__name", "pk")
    )
    states = (PayeeAccount.State.IN_FORCE, PayeeAccount.State.WAITING)
    rows = PayeeAccount.objects.filter(
        currency=currency, state__in=states, partner__in=chosen.order_by().values("partner")
    )  # fmt: skip
    accounts = {(one.partner_id, one.state): one for one in rows}
    without_invoice = held_from_payment([one.pk for one in statements])
    found = []
    for statement in statements:
        in_force = accounts.get((statement.partner_id, PayeeAccount.State.IN_FORCE))
        waits = (statement.partner_id, PayeeAccount.State.WAITING) in accounts
        obstacle = _of_statement(statement) or _of_account(in_force, rail, execute_on, waits=waits)
        if not obstacle and statement.pk in without_invoice:
            obstacle = Obstacle.NO_INVOICE
        found.append(Candidate(statement, in_force, obstacle))
    return found


def _of_statement(statement: Any) -> Obstacle:
    if statement.is_in_a_batch:
        return Obstacle.IN_A_BATCH
    if statement.state != Statement.State.APPROVED:
        return Obstacle.NOT_APPROVED
    if statement.total <= 0:
        return Obstacle.NOTHING_TO_PAY
    if statement.partner.status == Partner.Status.SUSPENDED:
        return Obstacle.PARTNER_STOPPED
    return Obstacle.NONE


def _of_account(account: PayeeAccount | None, rail: str, execute_on: date, *, waits: bool) -> Obstacle:
    if account is None:
        return Obstacle.ACCOUNT_WAITS if waits else Obstacle.NO_ACCOUNT
    if account.flag:
        return Obstacle.ACCOUNT_WAITS if waits else Obstacle.ACCOUNT_FLAGGED
    if account.rail != rail:
        return Obstacle.OTHER_RAIL
    return Obstacle.NONE if account.is_usable_on(execute_on) else Obstacle.TOO_NEW


def missing(found: Sequence[Candidate]) -> list[tuple[str, int]]:
    """What stands against payments, and how many: the most frequent first."""
    counted = Counter(one.obstacle for one in found if one.obstacle)
    return [(str(SAYS[obstacle]), count) for obstacle, count in counted.most_common()]


# --- A batch, before it is approved ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """A payment that deserves a second look, and why."""

    item: PayoutItem
    is_new: bool
    is_shared: bool
    is_large: bool

    @property
    def says(self) -> list[str]:
        told = (
            (self.is_new, _("first payment to this account")),
            (self.is_shared, _("another partner has the same account")),
            (self.is_large, _("a large amount")),
        )
        return [str(text) for is_so, text in told if is_so]


def to_look_at(items: Sequence[PayoutItem]) -> list[Look]:
    """Payments to new accounts, to accounts that two partners share, and unusually large ones. Three queries.

    `items` come with their accounts.
    """
    paid_states = ("paid", "returned")
    accounts = {one.account_id for one in items}
    partners = {one.partner_id for one in items}
    used = set(
        PayoutItem.objects.filter(account__in=accounts, state__in=paid_states).values_list("account", flat=True)
    )  # fmt: skip
    largest = dict(
        PayoutItem.objects.filter(partner__in=partners, state__in=paid_states)
        .order_by().values_list("partner").annotate(Max("amount"))
    )  # fmt: skip
    marks = {one.account.fingerprint for one in items}
    owners: dict[str, set[int]] = {}
    shared = PayeeAccount.objects.filter(fingerprint__in=marks, state__in=["in_force", "replaced", "waiting"])
    for mark, partner_id in shared.values_list("fingerprint", "partner"):
        owners.setdefault(mark, set()).add(partner_id)
    looks = [
        Look(
            item,
            is_new=item.account_id not in used,
            is_shared=len(owners.get(item.account.fingerprint, ())) > 1,
            is_large=_is_large(item.amount, largest.get(item.partner_id)),
        )
        for item in items
    ]
    return [one for one in looks if one.is_new or one.is_shared or one.is_large]


def _is_large(amount: Decimal, largest: Decimal | None) -> bool:
    return amount >= settings.PAYOUT_LARGE_AMOUNT or (largest is not None and amount > MANY_TIMES * largest)


@dataclass(frozen=True, slots=True)
class AccountLook:
    """What the person who confirms an account reads beside it."""

    account: PayeeAccount
    in_force: PayeeAccount | None
    shared_with: list[Partner]
    is_other_bic: bool


def account_to_confirm(account: PayeeAccount) -> AccountLook:
    in_force = PayeeAccount.objects.in_force().filter(partner=account.partner_id, currency=account.currency).first()
    others = PayeeAccount.objects.filter(fingerprint=account.fingerprint).exclude(partner=account.partner_id)
    shared = Partner.objects.filter(pk__in=others.order_by().values("partner")).order_by("name", "pk")
    is_other_bic = account.rail == Rail.SEPA and bic_is_another_banks(account.number(), account.bic)
    return AccountLook(account, in_force, list(shared), is_other_bic)


# --- What a partner sees --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HowPaid:
    """A currency in which a partner is paid or is to be: the account in force, the one that waits, earlier ones."""

    currency: str
    in_force: PayeeAccount | None
    waiting: PayeeAccount | None
    earlier: list[PayeeAccount]


def how_paid(partner: Partner) -> list[HowPaid]:
    """By currency: those with an account, and those that statements are in. Two queries."""
    accounts: dict[str, list[PayeeAccount]] = {}
    for one in (
        PayeeAccount.objects.filter(partner=partner).select_related("asked_by", "decided_by").order_by("-version")
    ):
        accounts.setdefault(one.currency, []).append(one)
    owed = Statement.objects.filter(partner=partner).order_by().values_list("currency", flat=True).distinct()
    found = []
    for currency in sorted({*accounts, *owed}):
        own = accounts.get(currency, [])
        in_force = next((one for one in own if one.state == PayeeAccount.State.IN_FORCE), None)
        waiting = next((one for one in own if one.state == PayeeAccount.State.WAITING), None)
        found.append(HowPaid(currency, in_force, waiting, [one for one in own if one not in (in_force, waiting)]))
    return found


def payments(partner: Partner) -> QuerySet[PayoutItem]:
    """Payments that left for a partner, latest first."""
    return (
        PayoutItem.objects.left().filter(partner=partner)
        .select_related("account", "batch", "statement").order_by("-batch__execute_on", "-id")
    )  # fmt: skip


def with_details(partner_ids: Collection[int]) -> set[int]:
    """Those of the partners that gave an account which is in force or waits, and which the bank did not refuse."""
    states = (PayeeAccount.State.IN_FORCE, PayeeAccount.State.WAITING)
    accounts = PayeeAccount.objects.filter(partner__in=partner_ids, state__in=states, flag="")
    return set(accounts.values_list("partner", flat=True))


# --- A file of the bank ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReportPart:
    """One list of what a file of the bank did: `count` of all, `rows` those that were kept to show."""

    title: str
    count: int
    rows: list[dict[str, Any]]


def report(kept: BankFile) -> list[ReportPart]:
    """What a file said, list by list; rows bear their payment's key, amount and reason in the reader's words."""
    titles = {
        "matched": _("Matched: the payment changed"), "known": _("Already known"),
        "under_way": _("Under way: nothing final"), "unmatched": _("Not ours: left alone"),
    }  # fmt: skip
    outcomes = {"paid": _("paid"), "failed": _("failed"), "returned": _("returned"), "under_way": _("under way")}
    return [
        ReportPart(
            str(title),
            kept.report["counts"][key],
            [
                {
                    **row, "outcome": str(outcomes[row["outcome"]]), "says": reasons.said(row["reason"], row["text"]),
                    "amount": None if row["amount"] is None else Decimal(row["amount"]),
                }
                for row in kept.report[key][:SHOWN]
            ],
        )
        for key, title in titles.items()
    ]  # fmt: skip
