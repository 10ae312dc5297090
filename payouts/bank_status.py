"""What the bank says of payments: pain.002 (status of an order) and camt.054 (what was booked), any version of either.

Pure. A document with a type declaration is refused, so no entity is ever expanded and nothing outside is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

MAX_NOTICES = 100_000


class StatusFileError(Exception):
    """Not a file that can be read: `problem` is a stable key, `found` what stands there."""

    def __init__(self, problem: str, found: str = "") -> None:
        super().__init__(f"{problem}: {found}")
        self.problem = problem
        self.found = found


class Kind(StrEnum):
    PAIN_002 = "pain.002"
    CAMT_054 = "camt.054"


class Outcome(StrEnum):
    UNDER_WAY = "under_way"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said of one payment, or of all payments of an order where `end_to_end_id` is empty.

    `message_id` is the order's. `amount` is None where the file names none. `on` is the day it was booked or accepted.
    """

    end_to_end_id: str
    message_id: str
    outcome: Outcome
    amount: Decimal | None = None
    currency: str = ""
    count: int | None = None
    on: date | None = None
    reason: str = ""
    text: str = ""
    bank_reference: str = ""


@dataclass(frozen=True, slots=True)
class StatusFile:
    kind: Kind
    message_id: str
    notices: tuple[Notice, ...]


# ISO 20022, external payment transaction status. The money left the payer's account with ACSC, ACCC and ACWP.
STATUSES = {
    "RCVD": Outcome.UNDER_WAY, "ACTC": Outcome.UNDER_WAY, "ACCP": Outcome.UNDER_WAY, "ACFC": Outcome.UNDER_WAY,
    "ACSP": Outcome.UNDER_WAY, "ACWC": Outcome.UNDER_WAY, "PDNG": Outcome.UNDER_WAY, "PATC": Outcome.UNDER_WAY,
    "ACSC": Outcome.PAID, "ACCC": Outcome.PAID, "ACWP": Outcome.UNDER_WAY, "RJCT": Outcome.FAILED,
    "CANC": Outcome.FAILED, "BLCK": Outcome.FAILED,
}  # fmt: skip
PARTLY = {"PART", "PACT"}  # the payments say it themselves


def read(content: bytes) -> StatusFile:
    """What a file of the bank says. Raises StatusFileError for anything but a whole pain.002 or camt.054."""
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise StatusFileError("declares_a_type") from None
    except (ParseError, ValueError, LookupError) as error:
        raise StatusFileError("not_xml", str(error)) from None
    _without_namespaces(root)
    report = root.find("CstmrPmtStsRpt") if root.tag == "Document" else None
    notification = root.find("BkToCstmrDbtCdtNtfctn") if root.tag == "Document" else None
    if report is not None:
        found = StatusFile(Kind.PAIN_002, _text(report, "GrpHdr/MsgId"), tuple(_statuses(report)))
    elif notification is not None:
        found = StatusFile(Kind.CAMT_054, _text(notification, "GrpHdr/MsgId"), tuple(_bookings(notification)))
    else:
        inner = root[0].tag if root.tag == "Document" and len(root) else root.tag
        raise StatusFileError("other_kind", str(inner))
    if len(found.notices) > MAX_NOTICES:
        raise StatusFileError("too_many", str(len(found.notices)))
    return found


def _without_namespaces(root: Element) -> None:
    """Banks send any version; the elements read here are the same in all of them."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _amount(element: Element | None) -> tuple[Decimal | None, str]:
    if element is None or not (element.text or "").strip():
        return None, ""
    try:
        return Decimal((element.text or "").strip()), element.get("Ccy", "")
    except InvalidOperation:
        raise StatusFileError("not_an_amount", element.text or "") from None


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise StatusFileError("not_a_day", text) from None


def _count(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise StatusFileError("not_a_number", text)
    return int(text)


def _reason(element: Element, path: str) -> tuple[str, str]:
    """The first reason's code (the bank's own where it has no common one), and what is written beside it."""
    found = element.find(path)
    if found is None:
        return "", ""
    code = _text(found, "Rsn/Cd") or _text(found, "Rsn/Prtry")
    return code[:35], " ".join(text for one in found.iterfind("AddtlInf") if (text := (one.text or "").strip()))


# --- pain.002 -----------------------------------------------------------------------------------------


def _statuses(report: Element) -> Iterator[Notice]:
    """The payments that are named; an order, or a block of it, that names none is spoken of as a whole."""
    group = report.find("OrgnlGrpInfAndSts")
    group = report if group is None else group
    message_id = _text(group, "OrgnlMsgId")
    blocks = report.findall("OrgnlPmtInfAndSts")
    named = [(block, block.findall("TxInfAndSts")) for block in blocks]
    status = _text(group, "GrpSts")
    on = _day(_text(report, "GrpHdr/CreDtTm"))
    for block, payments in named:
        block_status = _text(block, "PmtInfSts") or status
        block_reason = _reason(block, "StsRsnInf")
        block_reason = block_reason if any(block_reason) else _reason(group, "StsRsnInf")
        if not payments and (outcome := _outcome(block_status)) is not None:
            yield Notice("", _text(block, "OrgnlPmtInfId") or message_id, outcome, *_sum_of(block), on=on,
                         reason=block_reason[0], text=block_reason[1])  # fmt: skip
        for payment in payments:
            if (outcome := _outcome(_text(payment, "TxSts") or block_status)) is not None:
                yield _status_of(payment, outcome, message_id, block_reason, on)
    if not blocks and (outcome := _outcome(status)) is not None:
        reason, text = _reason(group, "StsRsnInf")
        yield Notice("", message_id, outcome, *_sum_of(group), on=on, reason=reason, text=text)


def _outcome(status: str) -> Outcome | None:
    """None where the status says to look at the payments. An unknown one is refused: it could mean that money moved."""
    if not status or status in PARTLY:
        return None
    if status not in STATUSES:
        raise StatusFileError("unknown_status", status)
    return STATUSES[status]


def _sum_of(element: Element) -> tuple[Decimal | None, str, int | None]:
    amount, _currency = _amount(element.find("OrgnlCtrlSum"))
    return amount, "", _count(_text(element, "OrgnlNbOfTxs"))


def _status_of(
    payment: Element, outcome: Outcome, message_id: str, inherited: tuple[str, str], on: date | None
) -> Notice:  # fmt: skip
    own = _reason(payment, "StsRsnInf")
    reason, text = own if any(own) or outcome is not Outcome.FAILED else inherited
    amount, currency = _amount(payment.find("OrgnlTxRef/Amt/InstdAmt"))
    accepted = _day(_text(payment, "AccptncDtTm"))
    return Notice(
        _text(payment, "OrgnlEndToEndId"), message_id, outcome, amount, currency, on=accepted or on, reason=reason,
        text=text, bank_reference=_text(payment, "AcctSvcrRef"),
    )  # fmt: skip


# --- camt.054 -----------------------------------------------------------------------------------------


def _bookings(notification: Element) -> Iterator[Notice]:
    for entry in notification.iterfind("Ntfctn/Ntry"):
        status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
        on = _day(_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm"))
        whole, currency = _amount(entry.find("Amt"))
        debit = _text(entry, "CdtDbtInd") == "DBIT"
        reversal = _text(entry, "RvslInd") == "true"
        reference = _text(entry, "AcctSvcrRef")
        payments = entry.findall("NtryDtls/TxDtls")
        for payment in payments:
            sum_of_one = (whole if len(payments) == 1 else None, currency)
            yield _booked(payment, sum_of_one, debit=debit, reversal=reversal, booked=status == "BOOK", on=on)
        for batch in entry.iterfind("NtryDtls/Btch"):
            if payments or status != "BOOK":
                continue
            order = _text(batch, "PmtInfId") or _text(batch, "MsgId")
            outcome = _direction(debit=debit, reversal=reversal)
            total, total_currency = _amount(batch.find("TtlAmt"))
            yield Notice(
                "", order, outcome, whole if total is None else total, total_currency or currency,
                count=_count(_text(batch, "NbOfTxs")), on=on, bank_reference=reference,
            )  # fmt: skip


def _direction(*, debit: bool, reversal: bool) -> Outcome:
    """A debit is a payment; a credit that names one of ours is that payment come back. A credit undone says neither."""
    if debit:
        return Outcome.UNDER_WAY if reversal else Outcome.PAID
    return Outcome.RETURNED


def _booked(
    payment: Element, entry: tuple[Decimal | None, str], *, debit: bool, reversal: bool, booked: bool, on: date | None
) -> Notice:  # fmt: skip
    amount, currency = _amount(payment.find("Amt"))
    if amount is None:
        amount, currency = _amount(payment.find("AmtDtls/TxAmt/Amt"))
    if amount is None:
        amount, currency = entry
    if _text(payment, "CdtDbtInd"):
        debit = _text(payment, "CdtDbtInd") == "DBIT"
    outcome = _direction(debit=debit, reversal=reversal)
    reason, text = _reason(payment, "RtrInf")
    return Notice(
        _text(payment, "Refs/EndToEndId"), _text(payment, "Refs/PmtInfId") or _text(payment, "Refs/MsgId"),
        outcome if booked else Outcome.UNDER_WAY, amount, currency, on=on, reason=reason, text=text,
        bank_reference=_text(payment, "Refs/AcctSvcrRef"),
    )  # fmt: skip
