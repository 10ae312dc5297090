"""Legal details: checked where they are typed, dated, never overwritten; mandates: whose, which words, from when to when."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from common.periods import program_today
from invoices import selectors
from invoices.errors import IdentityError, MandateError
from invoices.models import InvoiceSettings, Mandate, MandateText, PartnerIdentity, VendorIdentity
from invoices.numbers import problems, tidied
from invoices.rules import Status
from invoices.services import (
    accept_mandate,
    decide_identity,
    publish_mandate_text,
    record_vendor_identity,
    revoke_mandate,
)
from journal.models import Entry
from tests.factories import make_partner, make_portal_user, make_staff
from tests.invoices.facts import AMERICAN, FRENCH, GERMAN, SMALL, VENDOR, identified, mandated, vendor, words

TODAY = program_today()
TOMORROW = TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (FRENCH, []), (GERMAN, []), (AMERICAN, []), (SMALL, []),
        ({**FRENCH, "vat_number": "FR 19 552.008.443"}, []),
        ({**FRENCH, "establishment_number": "552 008 443 00017"}, ["establishment_number"]),  # its check digit is wrong
        ({**FRENCH, "establishment_number": "73282932000074"}, ["establishment_number"]),  # another company's
        ({**FRENCH, "registration_number": "552008444"}, ["registration_number", "vat_number"]),
        ({**FRENCH, "registration_number": "732829320", "vat_number": "FR19552008443"}, ["vat_number"]),
        ({**FRENCH, "vat_number": "FR20552008443"}, ["vat_number"]),
        ({**FRENCH, "vat_number": ""}, ["vat_number"]),
        ({**GERMAN, "vat_number": "DE136695975"}, ["vat_number"]),
        ({**GERMAN, "vat_number": "FR19552008443"}, ["vat_number"]),
        ({**GERMAN, "establishment_number": "73282932000074"}, ["establishment_number"]),
        ({**GERMAN, "country": "GR", "vat_number": "EL094259216"}, []),
        ({**GERMAN, "country": "GR", "vat_number": "GR094259216"}, ["vat_number"]),
        ({**GERMAN, "country": "CH", "vat_number": "CHE-107.787.577 IVA"}, []),
        ({**AMERICAN, "registration_number": ""}, ["registration_number"]),
        ({**SMALL, "tax_status": "exempt"}, ["exemption"]),
    ],
)  # fmt: skip
def test_what_may_stand_on_an_invoice(given: dict[str, str], fields: list[str]) -> None:
    found = problems(tidied(given), on=TODAY, status=Status(given["tax_status"]))
    assert sorted(found) == sorted(fields)


@pytest.mark.django_db
def test_a_change_is_another_row_from_today_on() -> None:
    partner = make_partner()
    first = identified(partner)
    assert identified(partner) == first
    second = identified(partner, city="Villeurbanne")
    assert selectors.identities([partner.pk], TODAY) == {partner.pk: second}
    assert list(PartnerIdentity.objects.order_by("pk").values_list("city", "state")) == [
        ("Lyon", "accepted"), ("Villeurbanne", "accepted"),
    ]  # fmt: skip
    entry = Entry.objects.filter(verb="invoices.identity.changed").latest("pk")
    assert (entry.before["city"], entry.after["city"], entry.partner_id) == ("Lyon", "Villeurbanne", partner.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"city": "Paris"}, {"vat_number": ""}, {"starts_on": TOMORROW}])
def test_rows_are_never_overwritten(change: dict[str, Any]) -> None:
    identified(make_partner())
    vendor()
    for model in (PartnerIdentity, VendorIdentity):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.all().delete()


@pytest.mark.django_db
def test_a_refusal_names_the_fields_and_writes_nothing() -> None:
    with pytest.raises(IdentityError) as refused:
        identified(make_partner(), vat_number="FR20552008443")
    assert list(refused.value.details["fields"]) == ["vat_number"]
    assert not PartnerIdentity.objects.exists()


@pytest.mark.django_db
def test_staff_look_first_where_the_settings_say_so() -> None:
    partner, staff = make_partner(), make_staff()
    first = identified(partner)
    InvoiceSettings.objects.create(reviews_identities=True)
    second = identified(partner, city="Paris")
    third = identified(partner, city="Marseille")
    second.refresh_from_db()
    assert (second.state, second.reason, third.state) == ("refused", "Replaced by later details.", "submitted")
    assert selectors.identities([partner.pk], TODAY) == {partner.pk: first}
    with pytest.raises(IdentityError, match="Say why"):
        decide_identity(identity=third, accept=False, actor=staff)
    decide_identity(identity=third, accept=True, actor=staff)
    assert selectors.identities([partner.pk], TODAY) == {partner.pk: third}
    assert decide_identity(identity=third, accept=True, actor=staff) == third
    with pytest.raises(IdentityError, match="decided already"):
        decide_identity(identity=third, accept=False, actor=staff, reason="No")


@pytest.mark.django_db
def test_the_vendor_has_its_own_from_a_day_on() -> None:
    first = vendor()
    assert vendor() == first
    later = record_vendor_identity(
        fields={**VENDOR, "city": "Paris"}, starts_on=TOMORROW, mentions={}, actor=make_staff()
    )
    assert selectors.vendor_identity(TODAY) == first
    assert selectors.vendor_identity(TOMORROW) == later


# --- The mandate ----------------------------------------------------------------------------------------


def test_the_words_that_ship_are_in_both_languages() -> None:
    shipped = import_module("invoices.migrations.0003_first_mandate")
    assert "art. 289, I-2" in shipped.FR
    assert "art. 224" in shipped.EN
    assert (
        [shipped.EN.count(f"\n\n{n}. ") for n in range(1, 6)]
        == [shipped.FR.count(f"\n\n{n}. ") for n in range(1, 6)]
        == [1] * 5
    )


@pytest.mark.django_db
def test_a_mandate_says_who_accepted_which_words_when() -> None:
    partner = make_partner()
    person = make_portal_user(partner)
    with pytest.raises(MandateError, match="legal details first"):
        mandated(partner, person)
    identified(partner)
    mandate = mandated(partner, person)
    assert (mandate.accepted_by, mandate.text.version, mandate.language, mandate.starts_on, mandate.ends_on) == (
        person, 1, "fr", TODAY, None,
    )  # fmt: skip
    assert mandated(partner, person) == mandate
    assert Entry.objects.filter(verb="invoices.mandate.accepted").count() == 1


@pytest.mark.django_db
def test_other_words_ask_for_another_acceptance() -> None:
    partner = make_partner()
    identified(partner)
    first = mandated(partner)
    old = words()
    new = publish_mandate_text(text={"en": "Others.", "fr": "D’autres."}, actor=make_staff())
    assert (new.version, selectors.mandate_of(partner, TODAY)) == (2, first)
    person = first.accepted_by
    with pytest.raises(MandateError, match="words changed"):
        accept_mandate(partner=partner, text=old, language="en", actor=person)
    second = accept_mandate(partner=partner, text=new, language="en", actor=person)
    first.refresh_from_db()
    assert (first.ends_on, selectors.mandate_of(partner, TODAY)) == (TODAY, second)
    with pytest.raises(MandateError, match="French"):
        publish_mandate_text(text={"en": "Only English."}, actor=make_staff())


@pytest.mark.django_db
def test_a_mandate_is_revoked_once_from_a_day_on() -> None:
    partner = make_partner()
    identified(partner)
    mandate = mandated(partner)
    person = mandate.accepted_by
    with pytest.raises(MandateError, match="from today on"):
        revoke_mandate(mandate=mandate, ends_on=TODAY - timedelta(days=1), actor=person)
    revoked = revoke_mandate(mandate=mandate, ends_on=TOMORROW, actor=person)
    assert revoke_mandate(mandate=mandate, ends_on=TOMORROW, actor=person) == revoked
    assert selectors.mandate_of(partner, TODAY) == mandate
    assert selectors.mandate_of(partner, TOMORROW) is None
    with pytest.raises(MandateError, match="another day"):
        revoke_mandate(mandate=mandate, ends_on=TOMORROW + timedelta(days=1), actor=person)
    for change in ({"ends_on": None, "revoked_at": None}, {"language": "en"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Mandate.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        MandateText.objects.update(text={"en": "x"})
