"""Bank days, references, names and masks: formulas without a database."""

from datetime import date

import pytest

from payouts import rules


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 4, 2), True),  # a Thursday
        (date(2026, 4, 3), False),  # Good Friday
        (date(2026, 4, 4), False),
        (date(2026, 4, 5), False),
        (date(2026, 4, 6), False),  # Easter Monday
        (date(2026, 4, 7), True),
        (date(2026, 1, 1), False),
        (date(2026, 5, 1), False),
        (date(2026, 5, 14), True),  # Ascension: banks in France are closed, T2 is open
        (date(2026, 7, 14), True),
        (date(2025, 12, 24), True),
        (date(2025, 12, 25), False),
        (date(2025, 12, 26), False),
        (date(2027, 3, 26), False),  # Good Friday of another year
    ],
)
def test_the_days_on_which_euros_settle(day: date, is_open: bool) -> None:
    assert rules.is_bank_day(day) is is_open


def test_the_next_bank_day() -> None:
    assert rules.bank_day_from(date(2026, 4, 3)) == date(2026, 4, 7)
    assert rules.bank_day_from(date(2026, 4, 7)) == date(2026, 4, 7)


@pytest.mark.parametrize(
    ("text", "reference"),
    [("539007547034", "RF18539007547034"), ("2348231", "RF712348231"), ("ST12", "RF33ST12")],
)
def test_a_creditor_reference_has_the_check_digits_of_iso_11649(text: str, reference: str) -> None:
    assert rules.creditor_reference(text) == reference


@pytest.mark.parametrize("text", ["st12", "A" * 22, "A-1", "É"])
def test_what_cannot_be_a_creditor_reference(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be a creditor reference"):
        rules.creditor_reference(text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("Établissements Müller & Fils", "Etablissements Muller + Fils"),
        ("a_b", "a-b"),
        ("//Rue/ 4//", "Rue/ 4"),
        ("Straße 5 <x>", "Strasse 5 .x."),
        ("Ωmega", "Omega"),
        ("x" * 80, "x" * 70),
        ("a\nb", "a b"),
    ],
)
def test_names_are_written_as_banks_take_them(text: str, taken: str) -> None:
    assert rules.sepa_text(text, rules.NAME_LENGTH) == taken
    assert set(taken) <= rules.SEPA_CHARACTERS


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("FR76 3000 6000 0112 3456 7890 189", "FR76 •••• 0189"),
        ("000123456789", "•••• 6789"),
        ("1234", "•••• 34"),
    ],
)
def test_a_mask_keeps_four_digits_at_most_at_each_end(number: str, shown: str) -> None:
    assert rules.masked(number) == shown


def test_ids_are_those_of_the_batch_and_its_payment() -> None:
    assert rules.message_id(12) == "PAYOUT-00000012"
    assert rules.end_to_end_id(12, 345, 2) == "PAYOUT-00000012-345-2"
    assert len(rules.end_to_end_id(99_999_999, 9_999_999_999, 99)) <= 35


@pytest.mark.parametrize(
    ("reference", "batch"),
    [
        ("PAYOUT-00000012", 12), ("PAYOUT-00000012-345-2", 12), ("PAYOUT-123456789-1-1", 123_456_789),
        ("PAYOUT-012345678901", None), ("PAYOUT-12", None), ("PAYOUT-00000012-345", None), ("RENT", None), ("", None),
    ],
)  # fmt: skip
def test_the_batch_that_a_reference_names(reference: str, batch: int | None) -> None:
    assert rules.batch_named(reference) == batch


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["under_way", "paid"], "sent"), (["paid", "paid"], "settled"), (["paid", "cancelled"], "settled"),
        (["paid", "failed"], "partly_failed"), (["paid", "returned"], "partly_failed"), (["failed"], "failed"),
        (["returned", "failed"], "failed"),
    ],
)  # fmt: skip
def test_what_payments_make_of_their_batch(states: list[str], state: str) -> None:
    assert rules.settled_state(states) == state
