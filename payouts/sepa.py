"""The SEPA credit transfer file (pain.001), by sepaxml behind this one function, and checked against its schema.

Pure: the same order gives the same bytes. sepaxml is kept from what it would do by itself: it doubles every payment when one
object is exported twice, makes up message and payment ids, takes the clock, writes remittance as free text only and checks no
IBAN. So one object is exported once, its ids, times and references are set here, and count and sum are compared with the
order before anything leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import as_file, files

from lxml import etree
from sepaxml import SepaTransfer

from payouts.rules import NAME_LENGTH, sepa_text

VERSIONS = ("pain.001.001.09", "pain.001.001.03")
CURRENCY = "EUR"


class SepaError(Exception):
    """An order that cannot be a SEPA file, or a file that is not its order: nothing of it may be used."""


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays, from which account."""

    name: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment. `reference` is a creditor reference (ISO 11649); where it is empty, `text` says what is paid."""

    end_to_end_id: str
    name: str
    iban: str
    bic: str
    amount: Decimal
    reference: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    message_id: str
    created_at: datetime
    execute_on: date
    debtor: Debtor
    transfers: Sequence[Transfer]
    currency: str = CURRENCY

    @property
    def total(self) -> Decimal:
        return sum((one.amount for one in self.transfers), Decimal(0))


def cents(amount: Decimal) -> int:
    """Raises SepaError for anything but a positive number of whole cents."""
    whole = amount.scaleb(2)
    if whole != int(whole) or whole <= 0:
        raise SepaError(f"{amount} is no amount that a SEPA transfer carries")
    return int(whole)


def write(order: Order, version: str = VERSIONS[0]) -> bytes:
    """The file of an order, valid by the bank's schema. Raises SepaError; then there is no file."""
    if version not in VERSIONS:
        raise SepaError(f"{version} is not one of {', '.join(VERSIONS)}")
    if order.currency != CURRENCY:
        raise SepaError(f"SEPA pays {CURRENCY}, not {order.currency}")
    if not order.transfers:
        raise SepaError("an order without payments")
    ids = [one.end_to_end_id for one in order.transfers]
    if len(set(ids)) < len(ids):
        raise SepaError("two payments have one end-to-end id")
    document = _finished(etree.fromstring(_exported(order, version)), order)
    schema = _schema(version)
    if not schema.validate(document):
        raise SepaError(f"not valid by {version}: {schema.error_log.last_error}")
    content: bytes = etree.tostring(document, encoding="UTF-8", xml_declaration=True)
    check(content, order)
    return content


def _exported(order: Order, version: str) -> bytes:
    """What sepaxml writes: one object, one export."""
    debtor = order.debtor
    config = {
        "name": sepa_text(debtor.name, NAME_LENGTH),
        "IBAN": debtor.iban,
        "batch": True,
        "currency": order.currency,
    }
    writer = SepaTransfer({**config, "BIC": debtor.bic}, schema=version, clean=False)
    for one in order.transfers:
        payment = {
            "name": sepa_text(one.name, NAME_LENGTH), "IBAN": one.iban, "amount": cents(one.amount),
            "execution_date": order.execute_on, "description": one.reference or sepa_text(one.text),
            "endtoend_id": one.end_to_end_id,
        }  # fmt: skip
        writer.add_payment({**payment, "BIC": one.bic} if one.bic else payment)
    exported: bytes = writer.export(validate=False)  # validated below, with what is set there
    return exported


def _finished(root: etree._Element, order: Order) -> etree._ElementTree:
    """Ids and time are the order's, and references stand in their own element."""
    space = etree.QName(root).namespace
    tag = f"{{{space}}}".__add__

    def only(name: str) -> etree._Element:
        (found,) = root.iter(tag(name))
        return found

    only("MsgId").text = order.message_id
    only("PmtInfId").text = order.message_id
    only("CreDtTm").text = order.created_at.isoformat(timespec="seconds")
    remittances = list(root.iter(tag("RmtInf")))
    for remittance, one in zip(remittances, order.transfers, strict=True):
        if not one.reference:
            continue
        remittance.clear()
        information = etree.SubElement(etree.SubElement(remittance, tag("Strd")), tag("CdtrRefInf"))
        kind = etree.SubElement(etree.SubElement(information, tag("Tp")), tag("CdOrPrtry"))
        etree.SubElement(kind, tag("Cd")).text = "SCOR"
        etree.SubElement(information.find(tag("Tp")), tag("Issr")).text = "ISO"
        etree.SubElement(information, tag("Ref")).text = one.reference
    return root.getroottree()


@cache
def _schema(version: str) -> etree.XMLSchema:
    with as_file(files("sepaxml") / "schemas" / f"{version}.xsd") as path:
        return etree.XMLSchema(etree.parse(path))


def check(content: bytes, order: Order) -> None:
    """Raises SepaError unless the file pays what the order says, once each: payments, amounts, accounts, count and sum."""
    root = etree.fromstring(content)
    space = {"p": etree.QName(root).namespace}

    def texts(path: str) -> list[str]:
        return [str(found.text) for found in root.iterfind(path, space)]

    paid = list(
        zip(
            texts(".//p:CdtTrfTxInf/p:PmtId/p:EndToEndId"),
            [Decimal(text) for text in texts(".//p:CdtTrfTxInf/p:Amt/p:InstdAmt")],
            texts(".//p:CdtTrfTxInf/p:CdtrAcct/p:Id/p:IBAN"),
            strict=True,
        )
    )
    if paid != [(one.end_to_end_id, one.amount, one.iban) for one in order.transfers]:
        raise SepaError("the file does not pay what the order says")
    if {int(text) for text in texts(".//p:NbOfTxs")} != {len(order.transfers)}:
        raise SepaError("the file's number of payments is not the order's")
    if {Decimal(text) for text in texts(".//p:CtrlSum")} != {order.total}:
        raise SepaError("the file's sum is not the order's")
