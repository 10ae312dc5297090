"""The ledger for the bookkeeping: a month's lines as journal entries in CSV, two rows each, balanced."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commissions.errors import AccountingError
from commissions.models import AccountCodes, Earning
from common.money import round_to_minor_unit
from common.periods import month_of, program_today
from common.sheets import Echo, text_cell
from tiers.models import Program

HEADER = ("entry", "posted_on", "account", "program", "partner", "kind", "event", "fact", "earned_on", "debit", "credit", "currency")  # fmt: skip
Codes = dict[int, tuple[str, str]]


def journal(month: date) -> Iterator[str]:
    """The entries of the lines that were posted in the month that holds `month`, by program time, streamed in the order in which
    they were posted: what is owed grows by a line above nothing (expense to liability), and shrinks by one below.

    A machine's file: the same bytes for every reader and every time. Payments are not in it. Raises AccountingError for a month
    that is not over, and where no accounts are set.
    """
    period = month_of(month)
    if period.ends_on > program_today():
        raise AccountingError(_("That month is not over: lines may still be posted in it."))
    return _rows(month, _codes())


def _codes() -> Codes:
    """Expense and liability accounts by program. Two queries."""
    own = {one.program_id: (one.expense, one.liability) for one in AccountCodes.objects.all()}
    found: Codes = {}
    for program in Program.objects.order_by("pk"):
        codes = own.get(program.pk) or own.get(None)
        if codes is None:
            raise AccountingError(_("No accounts are set for “%(program)s”. Set them under Money, Accounts.") % {"program": program})  # fmt: skip
        found[program.pk] = codes
    return found


def _rows(month: date, codes: Codes) -> Iterator[str]:
    writer = csv.writer(Echo(), lineterminator="\r\n")
    yield writer.writerow(HEADER)
    period = month_of(month)
    lines = (
        Earning.objects.filter(posting__posted_at__gte=_start(period.starts_on), posting__posted_at__lt=_start(period.ends_on))
        .select_related("partner", "program", "posting", "sale")
        .order_by("pk")
    )  # fmt: skip
    for line in lines.iterator(chunk_size=2000):
        amount = round_to_minor_unit(line.amount, line.currency)
        expense, liability = codes[line.program_id]
        yield writer.writerow(_row(line, expense, debit=amount))
        yield writer.writerow(_row(line, liability, debit=-amount))


def _row(line: Earning, account: str, *, debit: Decimal) -> list[Any]:
    size = f"{abs(debit):f}"
    return [
        line.pk, timezone.localdate(line.posting.posted_at).isoformat(), account, line.program.slug,
        text_cell(line.partner.external_id), line.kind, line.event,
        text_cell(line.sale.external_id) if line.sale else line.fact, line.earned_on.isoformat(),
        size if debit > 0 else "", size if debit < 0 else "", line.currency,
    ]  # fmt: skip


def _start(day: date | None) -> datetime:
    assert day is not None  # noqa: S101  # a month has a first day
    return timezone.make_aware(datetime.combine(day, time.min))
