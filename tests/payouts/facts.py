"""A payer, partners with confirmed accounts, approved statements, and what the bank answers."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from commissions.models import Statement
from common.periods import add_months, program_today
from partners.models import Partner
from payouts.bank_details import Details
from payouts.models import PayeeAccount, PayerAccount, PayoutBatch, PayoutItem, Rail
from payouts.rules import bank_day_from, message_id
from payouts.services import batches
from payouts.services.accounts import ask_account, confirm_account
from payouts.services.settling import read_bank_file
from tests.factories import make_partner, make_portal_user, make_staff

IBANS = ("FR7630006000011234567890189", "DE89370400440532013000", "BE68539007547034", "NL91ABNA0417164300",
         "ES9121000418450200051332", "IT60X0542811101000000123456")  # fmt: skip
PAYER_IBAN = "FR1420041010050500013M02606"


def make_payer(**over: Any) -> PayerAccount:
    fields = {"name": "Adventure Works", "rail": Rail.SEPA, "currency": "EUR", "iban": PAYER_IBAN, "bic": "PSSTFRPPXXX"}
    return PayerAccount.objects.create(**{**fields, **over})


def details(**over: Any) -> Details:
    fields: dict[str, Any] = {"rail": Rail.SEPA, "currency": "EUR", "holder": "Cycles Dupont SARL", "number": IBANS[0]}
    return Details(**{**fields, **over})


def dollars(**over: Any) -> Details:
    return details(
        **{"rail": Rail.OTHER, "currency": "USD", "number": "000123456789", "routing": "021000021", "country": "US",
           "bank_name": "First Bank", "holder": "Dupont Bikes Inc.", **over}
    )  # fmt: skip


def with_account(partner: Partner, staff: User, *, usable: bool = True, **over: Any) -> PayeeAccount:
    """In force; usable from today unless said otherwise."""
    asked = over.pop("details", None) or details(**over)
    account = ask_account(partner=partner, details=asked, actor=make_portal_user(partner))
    account = confirm_account(account=account, actor=staff)
    if usable:
        PayeeAccount.objects.filter(pk=account.pk).update(usable_on=program_today())
        account.refresh_from_db()
    return account


def approved(partner: Partner, amount: str = "100.00", months_ago: int = 1, **over: Any) -> Statement:
    """An approved statement that comes to `amount`."""
    month = add_months(program_today().replace(day=1), -months_ago)
    statement = Statement.objects.create(
        partner=partner, starts_on=month, ends_on=add_months(month, 1), currency=over.pop("currency", "EUR"),
        opening=Decimal(amount), total=Decimal(amount),
    )  # fmt: skip
    for state in ("in_review", "approved"):
        Statement.objects.filter(pk=statement.pk).update(state=state)
    statement.refresh_from_db()
    return statement


def payable(staff: User, number: int = 3) -> list[Statement]:
    """Partners with an account and an approved statement each: 100, 200, 300 euros and so on."""
    found = []
    for place in range(number):
        partner = make_partner()
        with_account(partner, staff, number=IBANS[place % len(IBANS)], holder=partner.name)
        found.append(approved(partner, f"{100 * (place + 1)}.00"))
    return found


def soon() -> date:
    return bank_day_from(program_today() + timedelta(days=1))


def built(statements: Sequence[Statement], author: User, payer: PayerAccount | None = None) -> PayoutBatch:
    return batches.build_batch(
        payer=payer or PayerAccount.objects.filter(rail="sepa").first() or make_payer(), execute_on=soon(),
        statement_ids=[one.pk for one in statements], actor=author,
    )  # fmt: skip


def sent(statements: Sequence[Statement], author: User | None = None, approver: User | None = None) -> PayoutBatch:
    approver = approver or make_staff()
    batch = built(statements, author or make_staff())
    batch = batches.approve_batch(batch=batch, actor=approver, seen_total=batch.total)
    return batches.send_batch(batch=batch, actor=approver)


def one_of_each(partner: Partner, staff: User) -> dict[str, int]:
    """A payment of the partner that left and is paid, its batch, account and bank file: their keys, by model."""
    with_account(partner, staff)
    batch = sent([approved(partner, "10.00", months_ago=30)], make_staff(), staff)
    kept, _is_new = read_bank_file(content=pain_002(batch, group="ACSC"), name="status.xml", actor=staff)
    item = batch.items.get()
    return {"payoutitem": item.pk, "payeeaccount": item.account_id, "payoutbatch": batch.pk, "bankfile": kept.pk}


def states(statements: Sequence[Statement]) -> list[str]:
    by_key = dict(Statement.objects.filter(pk__in=[one.pk for one in statements]).values_list("pk", "state"))
    return [by_key[one.pk] for one in statements]


# --- What the bank sends --------------------------------------------------------------------------


def pain_002(
    batch: PayoutBatch, payments: Sequence[tuple[PayoutItem, str, str]] = (), *, group: str = "PART", reason: str = "",
    message: str = "BANK-1", amounts: bool = True,
) -> bytes:  # fmt: skip
    """Statuses of single payments as (item, status, reason), or one of the whole order."""

    def why(code: str) -> str:
        return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""

    def what(item: PayoutItem) -> str:
        return (
            f'<OrgnlTxRef><Amt><InstdAmt Ccy="{item.currency}">{item.amount:.2f}</InstdAmt></Amt></OrgnlTxRef>'
            if amounts else ""
        )  # fmt: skip

    rows = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{item.end_to_end_id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why(code)}"
        f"{what(item)}</TxInfAndSts>"
        for item, status, code in payments
    )
    block = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message_id(batch.pk)}</OrgnlPmtInfId>{rows}</OrgnlPmtInfAndSts>"
        if rows else ""
    )  # fmt: skip
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-04-08T10:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id(batch.pk)}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<OrgnlNbOfTxs>{batch.count}</OrgnlNbOfTxs><OrgnlCtrlSum>{batch.total:.2f}</OrgnlCtrlSum>"
        f"<GrpSts>{group}</GrpSts>{why(reason)}</OrgnlGrpInfAndSts>{block}</CstmrPmtStsRpt></Document>"
    ).encode()


def camt_054(
    rows: Sequence[tuple[str, str, str, str]], *, message: str = "CAMT-1", status: str = "<Cd>BOOK</Cd>"
) -> bytes:
    """Bookings as (end-to-end id, amount, "DBIT" or "CRDT", return reason)."""
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts><BookgDt><Dt>2026-04-09</Dt>'
        f"</BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{name}</EndToEndId><AcctSvcrRef>REF-{place}</AcctSvcrRef></Refs>"
        + (f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else "")
        + "</TxDtls></NtryDtls></Ntry>"
        for place, (name, amount, side, reason) in enumerate(rows)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-04-09T18:00:00</CreDtTm></GrpHdr>"
        f"<Ntfctn><Id>1</Id>{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def camt_054_of_batch(order: str, count: int, total: str, *, message: str = "CAMT-B") -> bytes:
    """One booking of the sum of an order, without its payments."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02">'
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>{message}</MsgId></GrpHdr><Ntfctn><Ntry>"
        f'<Amt Ccy="EUR">{total}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-04-09</Dt></BookgDt>'
        f"<NtryDtls><Btch><PmtInfId>{order}</PmtInfId><NbOfTxs>{count}</NbOfTxs></Btch></NtryDtls>"
        "</Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()
