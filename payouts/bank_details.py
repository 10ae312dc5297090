"""Bank details as people type them, checked: IBAN and BIC by schwifty, other accounts by what their rail needs."""

import re
import warnings
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _
from schwifty import BIC, IBAN
from schwifty.exceptions import (
    InvalidBBANChecksum,
    InvalidChecksumDigits,
    InvalidCountryCode,
    InvalidLength,
    NationalChecksumNotVerified,
    SchwiftyException,
)

from common.templatetags.show import country as country_shown
from common.templatetags.show import locale
from payouts.errors import AccountError
from payouts.models import Rail

SEPA_CURRENCY = "EUR"
HOLDER_LENGTH = 140
# Where a payment needs no BIC: the European Economic Area (EU regulation 260/2012).
EEA = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
# Banks of these have the BIC of the country after the colon, or may have.
BIC_OF = {"GG": "GB", "JE": "GB", "IM": "GB", "MC": "FR"}
FRENCH = {"GF", "GP", "MQ", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF"}
# Countries without a check of their own keep the IBAN's two check digits, which are checked everywhere.
warnings.filterwarnings("ignore", category=NationalChecksumNotVerified)

NOWHERE = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}  # Babel names them, and no bank is there
NUMBER = re.compile(r"[0-9A-Z]{4,34}")
ROUTING = re.compile(r"[0-9A-Z]{3,15}")


@dataclass(frozen=True, slots=True)
class Details:
    """Where money goes. `number` is an IBAN without spaces, or the account number as its bank writes it."""

    rail: str
    currency: str
    holder: str
    number: str
    country: str = ""
    bic: str = ""
    bank_name: str = ""
    routing: str = ""


def checked(details: Details) -> Details:
    """The details as they are kept: spaces gone, BIC and country filled in. Raises AccountError, which says what is wrong."""
    holder = " ".join(details.holder.split())
    if not holder:
        raise AccountError(_("Write the name of the account’s holder, as the bank knows it."), "holder")
    if len(holder) > HOLDER_LENGTH:
        raise AccountError(
            _("The holder’s name is longer than %(limit)s characters.") % {"limit": HOLDER_LENGTH}, "holder"
        )
    if details.rail == Rail.SEPA:
        return _sepa(details, holder)
    return _other(details, holder)


def _sepa(details: Details, holder: str) -> Details:
    if details.currency != SEPA_CURRENCY:
        raise AccountError(
            _("SEPA transfers are in euros. Give an account for other transfers to be paid in %(currency)s.")
            % {"currency": details.currency}, "rail",
        )  # fmt: skip
    iban = iban_of(details.number)
    bic = bic_of(details.bic) if details.bic.strip() else None
    if bic is not None and not _fits(str(bic.country_code), iban.country_code):
        raise AccountError(
            _("The BIC is of a bank in %(bic)s, the IBAN of one in %(iban)s.")
            % {"bic": country_shown(str(bic.country_code)), "iban": country_shown(iban.country_code)}, "bic",
        )  # fmt: skip
    if bic is None:
        bic = iban.bic
    if bic is None and iban.country_code not in EEA:
        raise AccountError(
            _("Give the BIC too: banks in %(country)s are not found by the IBAN alone.")
            % {"country": country_shown(iban.country_code)}, "bic",
        )  # fmt: skip
    return Details(
        Rail.SEPA, details.currency, holder, str(iban), iban.country_code, str(bic or ""), iban.bank_name or ""
    )  # fmt: skip


def iban_of(text: str) -> IBAN:
    """Raises AccountError that says what is wrong with it."""
    typed = "".join(text.split()).upper().removeprefix("IBAN")
    if not typed:
        raise AccountError(_("Write the IBAN."), "number")
    if not typed.isascii() or not typed.isalnum():
        raise AccountError(_("An IBAN has letters and digits only."), "number")
    try:
        iban = IBAN(typed)
        with suppress(NationalChecksumNotVerified):
            iban.validate(validate_bban=True)
    except InvalidCountryCode:
        raise AccountError(
            _("An IBAN begins with its country: “%(start)s” is none that has IBANs.") % {"start": typed[:2]}, "number"
        ) from None
    except InvalidLength:
        raise AccountError(_wrong_length(typed), "number") from None
    except InvalidChecksumDigits:
        raise AccountError(
            _("The IBAN’s check digits do not fit: a character is wrong, or two have changed places."), "number"
        ) from None
    except InvalidBBANChecksum:
        raise AccountError(
            _("The account number inside the IBAN does not fit its own check digits: look at it again."), "number"
        ) from None
    except SchwiftyException:
        raise AccountError(
            _("This is not how an IBAN of %(country)s is written.") % {"country": country_shown(typed[:2])}, "number"
        ) from None
    if not iban.in_sepa_zone:
        raise AccountError(
            _("%(country)s is outside SEPA. Give the account for other transfers.")
            % {"country": country_shown(iban.country_code)}, "number",
        )  # fmt: skip
    return iban


def _wrong_length(typed: str) -> str:
    expected = IBAN(typed, allow_invalid=True).spec.iban_length
    return _("An IBAN of %(country)s has %(expected)s characters; this one has %(length)s.") % {
        "country": country_shown(typed[:2]), "expected": expected, "length": len(typed)
    }  # fmt: skip


def bic_of(text: str) -> BIC:
    """Raises AccountError that says what is wrong with it."""
    typed = "".join(text.split()).upper()
    if len(typed) not in (8, 11):
        raise AccountError(_("A BIC has 8 or 11 characters; this one has %(length)s.") % {"length": len(typed)}, "bic")
    try:
        return BIC(typed)
    except SchwiftyException:
        raise AccountError(
            _("This is not how a BIC is written: four letters of the bank, two of the country, then its place."), "bic"
        ) from None


def _fits(bic_country: str, iban_country: str) -> bool:
    return bic_country in {iban_country, BIC_OF.get(iban_country)} or (iban_country == "FR" and bic_country in FRENCH)


def bic_is_another_banks(iban: str, bic: str) -> bool:
    """Whether the BIC is not of the bank that the IBAN leads to: for who confirms an account to look at."""
    known = IBAN(iban, allow_invalid=True).bic
    return bool(bic) and known is not None and str(known)[:8] != bic[:8]


def countries() -> dict[str, str]:
    """The countries of the world by code, in the reader's language."""
    names = locale().territories
    return {
        code: str(name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in NOWHERE
    }


def _other(details: Details, holder: str) -> Details:
    number = re.sub(r"[\s-]", "", details.number).upper()
    if not NUMBER.fullmatch(number):
        raise AccountError(_("Write the account number: 4 to 34 letters and digits."), "number")
    country = details.country.strip().upper()
    if country not in countries():
        raise AccountError(_("Choose the country of the bank."), "country")
    if not details.bank_name.strip():
        raise AccountError(_("Write the name of the bank."), "bank_name")
    routing = re.sub(r"[\s-]", "", details.routing).upper()
    if routing and not ROUTING.fullmatch(routing):
        raise AccountError(_("The bank’s code has 3 to 15 letters and digits."), "routing")
    if country == "US" and not is_aba(routing):
        raise AccountError(
            _("A bank in the United States has a routing number of nine digits; this is none."), "routing"
        )
    bic = str(bic_of(details.bic)) if details.bic.strip() else ""
    if not routing and not bic:
        raise AccountError(
            _("Give the bank’s code or its BIC: without one the payment does not find the bank."), "routing"
        )
    return Details(
        Rail.OTHER, details.currency, holder, number, country, bic, " ".join(details.bank_name.split()), routing
    )  # fmt: skip


def is_aba(routing: str) -> bool:
    """Nine digits whose weighted sum is a multiple of ten (American Bankers Association)."""
    if not re.fullmatch(r"\d{9}", routing):
        return False
    return sum(int(digit) * weight for digit, weight in zip(routing, (3, 7, 1) * 3, strict=True)) % 10 == 0
