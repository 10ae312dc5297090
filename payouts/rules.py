"""Pure formulas of payouts: bank days, references, names as the bank takes them, what a batch's items make of it."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from dateutil.easter import easter
from text_unidecode import unidecode

OURS = re.compile(r"PAYOUT-(\d{8,14})(?:-\d+-\d+)?")
NAME_LENGTH = 70
TEXT_LENGTH = 140
# The Latin characters that every SEPA bank takes (EPC217-08, implementation guidelines, 1.4).
SEPA_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
# What stands for frequent characters outside that set; everything else is a full stop.
SEPA_INSTEAD = str.maketrans({"&": "+", "_": "-", "\t": " ", "\n": " ", "\r": " ", '"': "'", "`": "'"})


def is_bank_day(day: date) -> bool:
    """Whether T2 (once TARGET2) settles: not on Saturdays, Sundays and its six closing days."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    sunday = easter(day.year)
    return day not in {sunday - timedelta(days=2), sunday + timedelta(days=1)}


def bank_day_from(day: date) -> date:
    """`day` itself where it is a bank day, else the next one."""
    while not is_bank_day(day):
        day += timedelta(days=1)
    return day


def creditor_reference(text: str) -> str:
    """ISO 11649: “RF”, two check digits, and up to 21 capital letters and digits. Raises ValueError for anything else."""
    if not (text.isascii() and text.isalnum() and text == text.upper() and len(text) <= 21):
        raise ValueError(f"{text!r} cannot be a creditor reference")
    digits = "".join(str(int(character, 36)) for character in f"{text}RF00")
    return f"RF{98 - int(digits) % 97:02}{text}"


def message_id(batch_id: int) -> str:
    """The bank knows a batch by this: the same batch is the same message, so a file sent twice is refused as a duplicate."""
    return f"PAYOUT-{batch_id:08d}"


def end_to_end_id(batch_id: int, statement_id: int, attempt: int) -> str:
    """What a payment is known by from the order to the payee's account: one batch, one statement, one attempt."""
    return f"PAYOUT-{batch_id:08d}-{statement_id}-{attempt}"


def batch_named(reference: str) -> int | None:
    """The key of the batch that a message id or an end-to-end id names, if it is one of ours."""
    found = OURS.fullmatch(reference)
    return int(found[1]) if found and message_id(int(found[1])) == f"PAYOUT-{found[1]}" else None


def sepa_text(text: str, length: int = TEXT_LENGTH) -> str:
    """A text in the characters that every SEPA bank takes, without a slash at its ends or two in a row, cut at `length`."""
    plain = unidecode(text.translate(SEPA_INSTEAD)).translate(SEPA_INSTEAD)
    taken = "".join(character if character in SEPA_CHARACTERS else "." for character in plain)
    while "//" in taken:
        taken = taken.replace("//", "/")
    return " ".join(taken.split())[:length].strip("/ ")


def masked(number: str) -> str:
    """An account number as anyone may see it: its first four characters where it is an IBAN's length, its last four."""
    kept = "".join(number.split())
    if len(kept) < 9:
        return f"•••• {kept[-2:]}"
    head = f"{kept[:4]} " if len(kept) >= 15 else ""
    return f"{head}•••• {kept[-4:]}"


def settled_state(states: Iterable[str]) -> str:
    """What the items of a sent batch make of it: "sent" while one is open, then "settled", "partly_failed" or "failed"."""
    found = set(states) - {"cancelled"}
    if "under_way" in found:
        return "sent"
    if found <= {"paid"}:
        return "settled"
    return "partly_failed" if "paid" in found else "failed"
