"""Facts from elsewhere as staff read, add and correct them; traits and attributes are typed as names and values."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.pairs import PairsField
from journal.models import Entry
from partners.models import Partner
from records.models import PlanTarget, Record, Score
from tests.factories import make_partner, make_staff
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers.models import Award

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner(slug="cycles")


@pytest.fixture
def user() -> User:
    return make_staff()


@pytest.fixture
def staff(user: User, client: Client) -> Client:
    client.force_login(user)
    return client


def record(partner: Partner, **over: Any) -> dict[str, Any]:
    return {
        "partner": partner.pk, "kind": "audit", "external_id": "A1", "occurred_on": "2026-01-01",
        "attributes-name": ["Product line", "", "role"], "attributes-text": ["crm", "", ""], **over,
    }  # fmt: skip


def test_a_record_is_added_and_corrected(staff: Client, user: User, partner: Partner) -> None:
    assert staff.post(reverse("admin:records_record_add"), record(partner)).status_code == 302
    one = Record.objects.get()
    assert one.attributes == {"product_line": "crm"}
    changed = record(partner, amount="12.5", currency="EUR", **{"attributes-name": "role", "attributes-text": "lead"})
    assert staff.post(reverse("admin:records_record_change", args=[one.pk]), changed).status_code == 302
    one.refresh_from_db()
    assert (one.amount, one.currency, one.attributes) == (Decimal("12.5"), "EUR", {"role": "lead"})
    entry = Entry.objects.get(verb="records.record.changed")
    assert (entry.actor, entry.partner_id) == (user, partner.pk)
    assert entry.before == {"amount": None, "currency": "", "attributes": {"product_line": "crm"}}


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"ends_on": "2026-01-01"}, "ends_on"),
        ({"amount": "5"}, "currency"),
        ({"currency": "EUR"}, "amount"),
        ({"attributes-name": ["", "a"], "attributes-text": ["nameless", "b"]}, "attributes"),
    ],
)
def test_what_does_not_hold_together_comes_back_as_it_was_typed(
    staff: Client, partner: Partner, over: dict[str, Any], field: str
) -> None:
    answer = staff.post(reverse("admin:records_record_add"), record(partner, **over))
    assert list(answer.context["adminform"].form.errors) == [field]
    page = answer.content.decode()
    assert 'value="A1"' in page
    assert f'value="{over["attributes-text"][0] if field == "attributes" else "crm"}"' in page
    assert not Record.objects.exists()


def test_facts_that_never_were_are_deleted_with_an_entry(staff: Client, partner: Partner) -> None:
    one = make_record(partner)
    two = [make_record(partner), make_record(partner)]
    assert staff.post(reverse("admin:records_record_delete", args=[one.pk]), {"post": "yes"}).status_code == 302
    asked = {"action": "delete_selected", "_selected_action": [row.pk for row in two], "post": "yes"}
    assert staff.post(reverse("admin:records_record_changelist"), asked).status_code == 302
    assert not Record.objects.exists()
    assert Entry.objects.filter(verb="records.record.removed").count() == 3


def test_a_score_and_a_target_are_added(staff: Client, user: User, partner: Partner) -> None:
    score = {"partner": partner.pk, "kind": "csat", "value": "4.5", "scored_on": "2026-01-01"}
    assert staff.post(reverse("admin:records_score_add"), score).status_code == 302
    assert Score.objects.get().value == Decimal("4.5")
    again = staff.post(reverse("admin:records_score_add"), score)
    assert again.status_code == 200
    target = {
        "partner": partner.pk,
        "key": "people",
        "starts_on": "2026-01-01",
        "ends_on": "2027-01-01",
        "quantity": "3",
    }
    assert staff.post(reverse("admin:records_plantarget_add"), target).status_code == 302
    assert (PlanTarget.objects.get().author, PlanTarget.objects.get().quantity) == (user, Decimal(3))
    assert staff.post(reverse("admin:records_plantarget_add"), {**target, "quantity": ""}).status_code == 200


def test_lists_are_filtered_by_kind(staff: Client, partner: Partner) -> None:
    make_record(partner, kind="audit")
    make_record(partner, kind="site")
    answer = staff.get(reverse("admin:records_record_changelist"), {"kind__exact": "site"})
    assert [row.kind for row in answer.context["cl"].result_list] == ["site"]
    for make, name in [(make_score, "score"), (make_target, "plantarget")]:
        make(partner)
        assert staff.get(reverse(f"admin:records_{name}_changelist")).context["cl"].result_count == 1


def test_an_award_is_granted_corrected_and_ended(staff: Client, user: User, partner: Partner) -> None:
    asked = {"partner": partner.pk, "code": "cloud", "starts_on": "2026-01-01", "note": "Won the prize."}
    refused = staff.post(reverse("admin:tiers_award_add"), {**asked, "note": ""})
    assert list(refused.context["adminform"].form.errors) == ["note"]
    assert staff.post(reverse("admin:tiers_award_add"), asked).status_code == 302
    one = Award.objects.get()
    assert (one.origin, one.author, one.note) == ("granted", user, "Won the prize.")
    change = reverse("admin:tiers_award_change", args=[one.pk])
    assert staff.post(change, {**asked, "grade": "gold"}).status_code == 302
    end = reverse("admin:tiers_award_end", args=[one.pk])
    assert staff.get(end).status_code == 200
    asked = {"on": "2025-01-01", "reason": "Left.", "_ask": "1"}
    assert staff.post(end, asked).status_code == 200
    assert staff.post(end, {**asked, "on": "2026-06-01"}).status_code == 302
    one.refresh_from_db()
    assert (one.grade, one.ends_on) == ("gold", date(2026, 6, 1))
    assert [entry.verb for entry in Entry.objects.order_by("id")] == [
        "tiers.award.given", "tiers.award.changed", "tiers.award.ended",
    ]  # fmt: skip


def test_an_earned_award_is_only_shown(staff: Client, partner: Partner) -> None:
    one = make_award(partner, origin=Award.Origin.EARNED)
    change = reverse("admin:tiers_award_change", args=[one.pk])
    assert staff.get(change).status_code == 200
    assert staff.post(change, {"grade": "gold"}).status_code == 403
    assert not Entry.objects.exists()


def partner_form(partner: Partner, **over: Any) -> dict[str, Any]:
    return {
        "name": partner.name, "external_id": partner.external_id, "slug": partner.slug, "is_listed": "on",
        "joined_on": partner.joined_on.isoformat(), "locations-TOTAL_FORMS": "0", "locations-INITIAL_FORMS": "0", **over,
    }  # fmt: skip


def test_traits_of_a_partner_are_typed_as_names_and_values(staff: Client, partner: Partner) -> None:
    url = reverse("admin:partners_partner_change", args=[partner.pk])
    typed = {"traits-name": ["segment", "Product lines", ""], "traits-text": ["enterprise", "search | video", ""]}
    assert staff.post(url, partner_form(partner, **typed)).status_code == 302
    partner.refresh_from_db()
    assert partner.traits == {"segment": "enterprise", "product_lines": ["search", "video"]}
    page = staff.get(url).content.decode()
    assert 'value="search | video"' in page
    entry = Entry.objects.get(verb="partners.partner.changed")
    assert entry.before == {"traits": {}}
    assert staff.post(url, partner_form(partner)).status_code == 302
    taken = {"traits-name": ["tier"], "traits-text": ["gold"]}
    answer = staff.post(url, partner_form(partner, **taken))
    assert list(answer.context["adminform"].form.errors) == ["traits"]
    partner.refresh_from_db()
    assert partner.traits["segment"] == "enterprise"


@pytest.mark.parametrize(
    ("pairs", "held"),
    [
        ([], {}),
        ([("a", "x"), ("b", "")], {"a": "x"}),
        ([("A b", " x | y|x ")], {"a_b": ["x", "y"]}),
        ([("Épée", "x")], {"epee": "x"}),
    ],
)
def test_pairs_become_a_dictionary(pairs: list[tuple[str, str]], held: dict[str, Any]) -> None:
    field = PairsField(several=True)
    assert field.clean(pairs) == held
    assert not field.has_changed(held, pairs)
    assert field.has_changed({"other": "x"}, pairs)
