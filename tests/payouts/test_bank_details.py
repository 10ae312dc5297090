"""Bank details as people type them: what is wrong is said, in both languages; what is right is completed."""

import pytest
from django.utils.translation import override

from payouts.bank_details import bic_is_another_banks, checked, is_aba
from payouts.errors import AccountError
from tests.payouts.facts import details, dollars


@pytest.mark.parametrize(
    ("typed", "number", "bic", "country"),
    [
        ("fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189", "AGRIFRPPXXX", "FR"),
        ("IBAN DE89370400440532013000", "DE89370400440532013000", "COBADEFFXXX", "DE"),
        ("BE68 5390 0754 7034", "BE68539007547034", "", "BE"),
    ],
)
def test_an_iban_gives_its_bank_and_country(typed: str, number: str, bic: str, country: str) -> None:
    kept = checked(details(number=typed, holder="  Cycles   Dupont "))
    assert (kept.number, kept.bic, kept.country, kept.holder) == (number, bic, country, "Cycles Dupont")


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        ("", "Write the IBAN.", "Indiquez l’IBAN."),
        ("FR7630006000011234567890188", "check digits do not fit", "clé de contrôle"),
        ("FR763000600001123456789018", "has 27 characters; this one has 26", "compte 27 caractères ; celui-ci en a 26"),
        ("XX7630006000011234567890189", "“XX” is none that has IBANs", "« XX » n’en est pas un"),
        ("FR76-3000!", "letters and digits only", "que des lettres et des chiffres"),
        ("DE89ABCD00440532013000", "not how an IBAN of Germany is written", "ne s’écrit pas ainsi"),
        ("TR330006100519786457841326", "outside SEPA", "hors de l’espace SEPA"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_iban_is_said_in_both_languages(number: str, english: str, french: str) -> None:
    for language, says in (("en", english), ("fr", french)):
        with override(language), pytest.raises(AccountError) as refused:
            checked(details(number=number))
        assert says in str(refused.value).replace("\N{NO-BREAK SPACE}", " ")
        assert refused.value.field == "number"


def test_the_account_inside_an_iban_has_a_check_of_its_own() -> None:
    """The two digits after the country are right here, the French key at the end is not."""
    with pytest.raises(AccountError, match="inside the IBAN"):
        checked(details(number="FR0630006000011234567890188"))


def test_a_bic_is_checked_and_asked_for_where_the_iban_does_not_lead_to_it() -> None:
    british = "GB33BUKB20201555555555"
    assert checked(details(number=british, bic="BUKBGB22")).bic == "BUKBGB22"
    refused = {
        "A BIC has 8 or 11 characters; this one has 5.": details(bic="AGRIF"),
        "This is not how a BIC is written": details(bic="AGRI99PP"),
        "The BIC is of a bank in Germany, the IBAN of one in France.": details(bic="COBADEFFXXX"),
        "banks in United Kingdom are not found by the IBAN alone": details(number="GB82WEST12345698765432"),
    }  # fmt: skip
    for says, asked in refused.items():
        with pytest.raises(AccountError, match=says.replace(".", r"\.")) as error:
            checked(asked)
        assert error.value.field == "bic"


def test_a_bic_of_another_bank_is_noticed() -> None:
    assert bic_is_another_banks("FR7630006000011234567890189", "BNPAFRPP")
    assert not bic_is_another_banks("FR7630006000011234567890189", "AGRIFRPP888")


def test_sepa_is_in_euros() -> None:
    with pytest.raises(AccountError, match="SEPA transfers are in euros"):
        checked(details(currency="USD"))


def test_another_account_has_what_its_rail_needs() -> None:
    kept = checked(dollars(number="0001-2345 6789"))
    assert (kept.number, kept.routing, kept.country, kept.bank_name) == (
        "000123456789",
        "021000021",
        "US",
        "First Bank",
    )
    refused = {
        "account number: 4 to 34": dollars(number="12"),
        "country of the bank": dollars(country="EU"),
        "name of the bank": dollars(bank_name=" "),
        "routing number of nine digits": dollars(routing="021000022"),
        "bank’s code or its BIC": dollars(country="CA", routing=""),
        "3 to 15": dollars(country="CA", routing="1"),
        "holder, as the bank knows it": dollars(holder=" "),
    }  # fmt: skip
    for says, asked in refused.items():
        with pytest.raises(AccountError, match=says):
            checked(asked)
    assert checked(dollars(country="CA", routing="", bic="ROYCCAT2")).bic == "ROYCCAT2"


@pytest.mark.parametrize(
    ("routing", "is_one"), [("021000021", True), ("011401533", True), ("021000022", False), ("12345678", False)]
)
def test_a_routing_number_has_its_check_digit(routing: str, is_one: bool) -> None:
    assert is_aba(routing) is is_one
