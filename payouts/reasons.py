"""Why a payment failed or came back: the common codes of ISO 20022 (external status reasons and return reasons), in words."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Reason:
    """`is_of_account`: another account, or the same one put right, is needed before it is paid again."""

    says: Any
    is_of_account: bool = True


REASONS = {
    "AC01": Reason(_("the account number is wrong")),
    "AC03": Reason(_("the payee’s account number is wrong")),
    "AC04": Reason(_("the account is closed")),
    "AC06": Reason(_("the account is blocked")),
    "AC13": Reason(_("the account is of a kind that takes no such payment")),
    "AC14": Reason(_("the account is of a kind that takes no such payment")),
    "AC16": Reason(_("the account does not take payments now")),
    "AG01": Reason(_("the account takes no transfers")),
    "AG02": Reason(_("the bank does not take such a payment")),
    "AGNT": Reason(_("the bank’s code is wrong")),
    "AM01": Reason(_("the amount is zero"), is_of_account=False),
    "AM02": Reason(_("the amount is above what is allowed"), is_of_account=False),
    "AM03": Reason(_("the currency is not taken"), is_of_account=False),
    "AM04": Reason(_("the payer’s account lacks the money"), is_of_account=False),
    "AM05": Reason(_("the bank takes it for a duplicate"), is_of_account=False),
    "AM09": Reason(_("the amount is not the one agreed"), is_of_account=False),
    "AM10": Reason(_("the file’s sum is wrong"), is_of_account=False),
    "BE01": Reason(_("the name does not fit the account")),
    "BE04": Reason(_("the payee’s address is missing")),
    "BE05": Reason(_("the payer is not recognised"), is_of_account=False),
    "BE06": Reason(_("the payee is not known at this bank")),
    "BE07": Reason(_("the payer’s address is missing"), is_of_account=False),
    "CNOR": Reason(_("the payee’s bank is not reached by this way")),
    "CURR": Reason(_("the currency is wrong"), is_of_account=False),
    "CUST": Reason(_("the payee or the payer asked for it"), is_of_account=False),
    "DNOR": Reason(_("the payer’s bank is not reached by this way"), is_of_account=False),
    "DS02": Reason(_("the order was cancelled"), is_of_account=False),
    "DT01": Reason(_("the execution day is wrong"), is_of_account=False),
    "DUPL": Reason(_("it was paid twice"), is_of_account=False),
    "ED05": Reason(_("the settlement failed"), is_of_account=False),
    "ERIN": Reason(_("the bank does not take the reference"), is_of_account=False),
    "FF01": Reason(_("the file is not written as the bank wants it"), is_of_account=False),
    "FOCR": Reason(_("it was called back"), is_of_account=False),
    "FRAD": Reason(_("fraud is suspected")),
    "MD07": Reason(_("the payee has died")),
    "MS02": Reason(_("the payee refused it")),
    "MS03": Reason(_("the bank gives no reason")),
    "NARR": Reason(_("for a reason the bank writes beside it")),
    "NOAS": Reason(_("nobody answered the bank"), is_of_account=False),
    "RC01": Reason(_("the BIC is wrong")),
    "RC04": Reason(_("the payee’s bank is wrong")),
    "RR01": Reason(_("the payer’s account is missing, as the law wants it"), is_of_account=False),
    "RR02": Reason(_("the payer’s name or address is missing, as the law wants it"), is_of_account=False),
    "RR03": Reason(_("the payee’s name or address is missing, as the law wants it")),
    "RR04": Reason(_("the law forbids it")),
    "TM01": Reason(_("it came after the bank’s cut-off time"), is_of_account=False),
    "UPAY": Reason(_("it was not due"), is_of_account=False),
}  # fmt: skip
BY_HAND = "STAFF"  # staff said so, not a file


def is_of_account(code: str) -> bool:
    """Whether nothing more is paid to the account. A code nobody knows is taken to be of the account: the careful way."""
    if code == BY_HAND:
        return False
    return code not in REASONS or REASONS[code].is_of_account


def said(code: str, text: str = "") -> str:
    """The reason in the reader's words, with its code and what the bank wrote."""
    words = str(REASONS[code].says) if code in REASONS else ""
    shown = "" if code == BY_HAND else code
    about = f"{words} ({shown})" if words and shown else words or shown
    return ": ".join(part for part in (about, text) if part)
