"""The file of rails that take no XML: one line for each payment, as spreadsheets and banks' portals read it."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal

from common.money import minor_unit
from common.sheets import BOM, text_cell
from payouts.models import PayeeAccount
from payouts.sepa import Order, SepaError

COLUMNS = ("message_id", "end_to_end_id", "execute_on", "debit_account", "amount", "currency", "holder", "account_number",
           "routing", "bic", "bank_name", "country", "remittance")  # fmt: skip


def write(order: Order, accounts: Mapping[str, PayeeAccount]) -> bytes:
    """The list of an order's payments; `accounts` by end-to-end id. Raises SepaError where it would not pay what the order says."""
    unit = minor_unit(order.currency)
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    for one in order.transfers:
        if one.amount <= 0 or one.amount != one.amount.quantize(unit):
            raise SepaError(f"{one.amount} is no amount of {order.currency} that can be paid")
        account = accounts[one.end_to_end_id]
        sheet.writerow([
            order.message_id, one.end_to_end_id, order.execute_on.isoformat(), order.debtor.iban,
            one.amount.quantize(unit), order.currency, text_cell(one.name), one.iban, account.routing, account.bic,
            text_cell(account.bank_name), account.country, text_cell(one.reference or one.text),
        ])  # fmt: skip
    content = (BOM + out.getvalue()).encode()
    check(content, order)
    return content


def check(content: bytes, order: Order) -> None:
    """Raises SepaError unless the list has each payment once, to its account, and comes to the order's sum."""
    rows = list(csv.DictReader(io.StringIO(content.decode().removeprefix(BOM))))
    paid = [(row["end_to_end_id"], Decimal(row["amount"]), row["account_number"]) for row in rows]
    if paid != [(one.end_to_end_id, one.amount, one.iban) for one in order.transfers]:
        raise SepaError("the list does not pay what the order says")
    if not paid or len({one for one, _amount, _account in paid}) < len(paid):
        raise SepaError("a payment stands twice on the list, or none does")
