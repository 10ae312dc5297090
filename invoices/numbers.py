"""Whether legal details may stand on an invoice: formats and check digits, without asking anybody."""

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError
from stdnum.fr import siren, siret

from invoices.rules import Status, in_eu

# Where the letters of a VAT number are not those of the country.
PREFIXES = {"GR": ("EL",), "MC": ("FR",), "GB": ("GB", "XI"), "IM": ("GB",), "CH": ("CHE",), "LI": ("LI",)}
Problems = dict[str, str]  # by field


def tidied(fields: Mapping[str, str]) -> dict[str, str]:
    """Numbers without the spaces, dots and dashes that people write in them."""
    tidy = dict(fields)
    for name in ("vat_number", "establishment_number"):
        tidy[name] = "".join(one for one in tidy.get(name, "") if one.isalnum()).upper()
    if tidy.get("country") == "FR":
        tidy["registration_number"] = "".join(tidy.get("registration_number", "").split())
    return tidy


def problems(fields: Mapping[str, str], *, on: date, status: Status | None = None) -> Problems:
    """What stands against the details, each where it was typed. `fields` are tidied; `status` is a partner's, None the vendor's."""
    country = fields["country"]
    registration, vat = fields.get("registration_number", ""), fields.get("vat_number", "")
    found: Problems = {}
    if country == "FR":
        found |= _french(registration, fields.get("establishment_number", ""))
    elif fields.get("establishment_number"):
        found["establishment_number"] = _("A SIRET is of France alone: leave it empty.")
    if vat:
        found |= _vat(vat, country, registration)
    elif status == Status.NORMAL and in_eu(country, on):
        found["vat_number"] = _("Who charges VAT in the European Union has a VAT number: give it.")
    elif not registration:
        found["registration_number"] = _(
            "Give the registration number or the VAT number: an invoice names one of them."
        )
    if status == Status.EXEMPT and not fields.get("exemption"):
        found["exemption"] = _("Give the mention that the law asks for, with its article.")
    return found


def _french(registration: str, establishment: str) -> Problems:
    if not siren.is_valid(registration):
        return {
            "registration_number": _("A SIREN has nine digits, the last of which is a check: this one does not fit.")
        }
    if establishment and not siret.is_valid(establishment):
        return {
            "establishment_number": _(
                "A SIRET has fourteen digits, the last of which is a check: this one does not fit."
            )
        }
    if establishment and establishment[:9] != registration:
        return {"establishment_number": _("The first nine digits of the SIRET are the SIREN: these are not.")}
    return {}


def _vat(vat: str, country: str, registration: str) -> Problems:
    prefixes = PREFIXES.get(country, (country,))
    if not vat.startswith(prefixes):
        return {
            "vat_number": _("A VAT number of this country begins with %(letters)s.") % {"letters": " / ".join(prefixes)}
        }
    module = get_cc_module("FR" if country == "MC" else country, "vat")
    if module is None:  # a country whose numbers nobody here can check
        return {}
    try:
        module.validate(vat)
    except ValidationError:
        return {"vat_number": _("This is no VAT number of that country: a digit is missing or wrong.")}
    if country == "FR" and vat[4:] != registration:
        return {"vat_number": _("A French VAT number ends with the SIREN: this one ends with another.")}
    return {}
