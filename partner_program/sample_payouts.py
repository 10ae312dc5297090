"""Made up: accounts for the sample's partners, and one month that was paid as a batch, all but one payment."""

from collections.abc import Collection, Iterable
from datetime import date

from django.db.models import Q

from accounts.models import User
from commissions.models import Statement
from common.periods import add_months, program_today
from partner_program import sample
from partners.models import Member, Partner
from payouts.bank_details import Details
from payouts.bank_status import Outcome
from payouts.models import PayeeAccount, PayerAccount, Rail
from payouts.services import batches, settling
from payouts.services.accounts import ask_account, confirm_account, save_payer

APPROVER = "finance@demo.example"
ROUTING = "021000021"  # a number that is well formed; no account of these is real


def pay_month(statement_ids: Collection[int], *, staff: User) -> int:
    """Pay approved statements of one month, each in its currency, by a batch of today. Returns how many were paid.

    Their partners get accounts first. The payment of the last of them is refused by its bank.
    """
    statements = list(Statement.objects.filter(pk__in=statement_ids).select_related("partner").order_by("pk"))
    give_accounts(statements, staff=staff)
    approver = _approver()
    paid = 0
    for currency in sorted({one.currency for one in statements}):
        payer = save_payer(
            payer=PayerAccount.objects.filter(currency=currency, rail=Rail.OTHER).first()
            or PayerAccount(name="Adventure Works", rail=Rail.OTHER, currency=currency, iban="9876543210"),
            actor=staff,
        )
        own = [one.pk for one in statements if one.currency == currency]
        paid += _batch(payer, own[: batches.MAX_ITEMS], staff, approver)
    return paid


def give_accounts(statements: Iterable[Statement], *, staff: User) -> None:
    """Accounts in force for the partners of statements that come with them. Repeating changes nothing."""
    approver = _approver()
    for one in {(one.partner_id, one.currency): one for one in statements}.values():
        _account(one.partner, one.currency, one.starts_on, staff, approver)


def _approver() -> User:
    """A second person of staff, without whom nothing is paid."""
    known = User.objects.filter(email=APPROVER).first()
    return known or User.objects.create_superuser(APPROVER, sample.PASSWORD, name="Farida Finance")


def _account(partner: Partner, currency: str, since: date, staff: User, approver: User) -> None:
    if PayeeAccount.objects.filter(partner=partner, currency=currency).exists():
        return
    owner = Member.objects.filter(partner=partner, role=Member.Role.OWNER, user__isnull=False).first()
    details = Details(
        Rail.OTHER, currency, partner.name, f"{40_000_000 + partner.pk}", "US", "", "First Sample Bank", ROUTING
    )  # fmt: skip
    asked = ask_account(partner=partner, details=details, actor=owner.user if owner and owner.user else staff)
    confirm_account(account=asked, actor=approver)
    PayeeAccount.objects.filter(pk=asked.pk).update(usable_on=add_months(since, 1))


def _batch(payer: PayerAccount, ids: Collection[int], staff: User, approver: User) -> int:
    today = program_today()
    batch = batches.build_batch(payer=payer, execute_on=today, statement_ids=ids, actor=staff)
    batches.approve_batch(batch=batch, actor=approver, seen_total=batch.total)
    batches.send_batch(batch=batch, actor=approver)
    items = batch.items.exclude(Q(partner__members__user__email=sample.PARTNER)).order_by("-pk")
    if refused := items.first():
        settling.settle_by_hand(
            batch=batch, item_ids=[refused.pk], outcome=Outcome.FAILED, on=today, reason="Account closed", actor=approver
        )  # fmt: skip
    return settling.settle_by_hand(batch=batch, item_ids=None, outcome=Outcome.PAID, on=today, actor=approver)
