"""The program editor: a draft is edited, checked, published and copied; what is published stands still."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from journal.models import Entry
from tests.admin.world import World, make_world
from tiers import program_file, services
from tiers.errors import EditionFrozenError, MeasureError
from tiers.models import Edition, Measure, Program, Rule, Tier

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


@pytest.fixture
def draft(world: World) -> Edition:
    return services.copy_edition(edition=world.edition, name="2027", starts_on=date(2027, 1, 1), actor=world.staff)


def edition_form(draft: Edition, **over: Any) -> dict[str, Any]:
    tiers, measures = list(draft.tiers.order_by("rank")), list(draft.measures.all())
    form: dict[str, Any] = {
        "name": draft.name, "starts_on": draft.starts_on.isoformat(), "review": draft.review,
        "tiers-TOTAL_FORMS": len(tiers), "tiers-INITIAL_FORMS": len(tiers),
        "measures-TOTAL_FORMS": len(measures), "measures-INITIAL_FORMS": len(measures),
    }  # fmt: skip
    for number, tier in enumerate(tiers):
        form |= {
            f"tiers-{number}-id": tier.pk, f"tiers-{number}-edition": draft.pk, f"tiers-{number}-rank": tier.rank,
            f"tiers-{number}-code": tier.code, f"tiers-{number}-name_en": tier.name["en"],
            f"tiers-{number}-name_fr": tier.name["fr"], f"tiers-{number}-color": tier.color,
        }  # fmt: skip
    for number, one in enumerate(measures):
        form |= {
            f"measures-{number}-id": one.pk, f"measures-{number}-edition": draft.pk, f"measures-{number}-key": one.key,
            f"measures-{number}-position": one.position, f"measures-{number}-aggregate": one.aggregate,
            f"measures-{number}-dataset": one.dataset, f"measures-{number}-field": one.field,
            f"measures-{number}-filters": json.dumps(one.filters), f"measures-{number}-window": json.dumps(one.window),
            f"measures-{number}-name_en": one.name["en"], f"measures-{number}-name_fr": one.name["fr"],
        }  # fmt: skip
    return form | over


def test_a_copy_has_everything_and_is_a_draft(world: World, draft: Edition) -> None:
    original = program_file.dump(world.program)["editions"][0]
    copied = next(one for one in program_file.dump(world.program)["editions"] if one["name"] == "2027")
    assert {**copied, "name": "", "starts_on": "", "state": ""} == {
        **original,
        "name": "",
        "starts_on": "",
        "state": "",
    }
    assert (draft.state, draft.starts_on) == ("draft", date(2027, 1, 1))
    assert not Rule.objects.filter(tier__edition=draft).exclude(measure__edition=draft).exists()


def test_a_copy_keeps_groups_and_ratios(world: World, draft: Edition) -> None:
    level_3 = draft.tiers.get(rank=3)
    level_3.rules.all().delete()
    sales = draft.measures.get()
    ratio = Measure.objects.create(
        edition=draft, key="share", name={"en": "Share"}, aggregate="ratio", numerator=sales, denominator=sales
    )  # fmt: skip
    root = Rule.objects.create(tier=level_3, kind="all")
    group = Rule.objects.create(tier=level_3, kind="at_least", at_least=1, parent=root)
    Rule.objects.create(
        tier=level_3, kind="requirement", measure=ratio, comparison="gte", threshold=Decimal("0.8"), parent=group
    )  # fmt: skip
    again = services.copy_edition(edition=draft, name="2028", starts_on=date(2028, 1, 1))
    leaf = Rule.objects.get(tier__edition=again, measure__key="share")
    assert leaf.parent is not None
    assert (leaf.parent.kind, leaf.parent.parent_id) == (
        "at_least",
        Rule.objects.get(tier__edition=again, kind="all").pk,
    )
    assert leaf.measure is not None
    assert leaf.measure.numerator == again.measures.get(key="net-sales-12m")
    assert leaf.tier.edition == leaf.parent.tier.edition == again


def test_a_copy_costs_the_same_however_many_rules(world: World) -> None:
    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            services.copy_edition(edition=wide, name=name, starts_on=date(2027, 1, 1))
        return len(asked)

    wide = services.copy_edition(edition=world.edition, name="wide", starts_on=date(2027, 1, 1))
    tier, measure = wide.tiers.get(rank=3), wide.measures.get()
    tier.rules.all().delete()
    root = Rule.objects.create(tier=tier, kind="all")
    leaf = {
        "tier": tier,
        "parent": root,
        "kind": "requirement",
        "measure": measure,
        "comparison": "gte",
        "threshold": 1,
    }
    Rule.objects.create(**leaf)
    queries("first")
    few = queries("few")
    for _one in range(20):
        Rule.objects.create(**leaf)
    assert queries("many") == few


def test_a_name_is_taken_once(world: World, draft: Edition) -> None:
    with pytest.raises(EditionFrozenError):
        services.copy_edition(edition=world.edition, name="2027", starts_on=date(2028, 1, 1))
    assert Edition.objects.count() == 2


def test_what_is_published_has_no_field_to_change(staff: Client, world: World) -> None:
    page = staff.get(reverse("admin:tiers_edition_change", args=[world.edition.pk])).content.decode()
    assert "never changes" in page
    assert 'name="starts_on"' not in page
    assert 'name="tiers-0-code"' not in page
    assert staff.post(reverse("admin:tiers_edition_change", args=[world.edition.pk]), {"name": "x"}).status_code == 403
    tier = world.edition.tiers.get(rank=2)
    page = staff.get(reverse("admin:tiers_tier_change", args=[tier.pk])).content.decode()
    assert 'name="rules-0-threshold"' not in page
    assert staff.post(reverse("admin:tiers_tier_change", args=[tier.pk]), {"rank": "9"}).status_code == 403
    assert (
        staff.post(reverse("admin:tiers_edition_delete", args=[world.edition.pk]), {"post": "yes"}).status_code == 403
    )


def test_services_refuse_to_change_what_is_published(world: World) -> None:
    tier = world.edition.tiers.get(rank=2)
    for change in (services.save_draft, services.remove_from_draft):
        with pytest.raises(EditionFrozenError):
            change(part=tier, actor=world.staff)
    with pytest.raises(EditionFrozenError):
        services.save_draft(part=world.edition, actor=world.staff)


def test_a_measure_that_a_rule_asks_about_is_not_removed(draft: Edition) -> None:
    with pytest.raises(MeasureError):
        services.remove_from_draft(part=draft.measures.get())
    assert draft.measures.count() == 1


def test_a_draft_is_edited(staff: Client, world: World, draft: Edition) -> None:
    url = reverse("admin:tiers_edition_change", args=[draft.pk])
    assert 'name="tiers-0-code"' in staff.get(url).content.decode()
    response = staff.post(url, edition_form(draft, **{"review": "yearly", "tiers-1-name_en": "Silver"}))
    assert response.status_code == 302
    draft.refresh_from_db()
    assert draft.review == "yearly"
    assert draft.tiers.get(rank=2).name == {"en": "Silver", "fr": "Palier 2"}
    entry = Entry.objects.get(verb="tiers.tier.changed")
    assert (entry.after["name"]["en"], entry.actor) == ("Silver", world.staff)


def test_a_draft_is_deleted_whole(staff: Client, draft: Edition) -> None:
    assert staff.post(reverse("admin:tiers_edition_delete", args=[draft.pk]), {"post": "yes"}).status_code == 302
    assert not Edition.objects.filter(pk=draft.pk).exists()
    assert Entry.objects.get(verb="tiers.edition.removed").before == {"name": str(draft)}


def test_removing_a_measure_in_use_comes_back_on_the_form(staff: Client, draft: Edition) -> None:
    url = reverse("admin:tiers_edition_change", args=[draft.pk])
    response = staff.post(url, edition_form(draft, **{"measures-0-DELETE": "on", "review": "yearly"}))
    assert response.status_code == 200
    assert "would require deleting the following protected related objects" in response.content.decode()
    assert response.context["adminform"].form["review"].value() == "yearly"
    draft.refresh_from_db()
    assert (draft.review, draft.measures.count()) == ("nightly", 1)


def test_what_a_service_refuses_while_saving_comes_back_on_the_filled_form(
    staff: Client, draft: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    def published_meanwhile(*, part: services.Part, actor: User | None = None) -> None:
        if isinstance(part, Tier):
            raise EditionFrozenError("It was published a moment ago.")
        part.save()

    monkeypatch.setattr(services, "save_draft", published_meanwhile)
    changed = edition_form(draft, **{"review": "yearly", "tiers-1-name_en": "Silver"})
    response = staff.post(reverse("admin:tiers_edition_change", args=[draft.pk]), changed)
    assert response.status_code == 200
    assert "It was published a moment ago." in response.content.decode()
    assert 'value="Silver"' in response.content.decode()
    draft.refresh_from_db()
    assert (draft.review, draft.tiers.get(rank=2).name["en"]) == ("nightly", "Level 2")


def test_the_rules_of_a_tier_are_edited(staff: Client, draft: Edition) -> None:
    tier = draft.tiers.get(rank=2)
    rule, measure = tier.rules.get(), draft.measures.get()
    form = {
        "rank": 2, "code": "level-2", "name_en": "Level 2", "color": "#4f7394",
        "rules-TOTAL_FORMS": 1, "rules-INITIAL_FORMS": 1, "rules-0-id": rule.pk, "rules-0-tier": tier.pk,
        "rules-0-purpose": "earn", "rules-0-position": 0, "rules-0-kind": "requirement", "rules-0-measure": measure.pk,
        "rules-0-comparison": "gte", "rules-0-threshold": "60000",
        "tier_benefits-TOTAL_FORMS": 0, "tier_benefits-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert staff.post(reverse("admin:tiers_tier_change", args=[tier.pk]), form).status_code == 302
    rule.refresh_from_db()
    assert rule.threshold == Decimal("60000")


def test_a_rule_names_measures_and_groups_of_its_own_edition_only(staff: Client, world: World, draft: Edition) -> None:
    page = staff.get(reverse("admin:tiers_tier_change", args=[draft.tiers.get(rank=2).pk]))
    (rules, _benefits) = page.context["inline_admin_formsets"]
    assert list(rules.formset.forms[0].fields["measure"].queryset) == [draft.measures.get()]
    assert list(rules.formset.forms[0].fields["parent"].queryset) == []


def test_a_draft_is_checked_and_published(staff: Client, draft: Edition) -> None:
    check, publish = (reverse(f"admin:tiers_edition_{name}", args=[draft.pk]) for name in ("check_rules", "publish"))
    draft.tiers.get(rank=3).rules.all().delete()
    assert "has no rule to reach it" in staff.get(check, follow=True).content.decode()
    refused = staff.post(publish, ASKED)
    assert len(list(refused.context["form"].non_field_errors())) == 1
    assert Edition.objects.get(pk=draft.pk).state == "draft"
    Tier.objects.filter(edition=draft, rank=3).delete()
    assert "can be evaluated" in staff.get(check, follow=True).content.decode()
    assert staff.post(publish, ASKED).status_code == 302
    assert Edition.objects.get(pk=draft.pk).state == "published"


def test_copying_leads_to_the_new_draft(staff: Client, world: World) -> None:
    url = reverse("admin:tiers_edition_copy", args=[world.edition.pk])
    response = staff.post(url, {"name": "2027", "starts_on": "2027-01-01", **ASKED})
    assert response["Location"] == reverse("admin:tiers_edition_change", args=[Edition.objects.get(name="2027").pk])


def test_a_program_goes_out_and_comes_back_as_a_file(staff: Client, world: World) -> None:
    response = staff.get(reverse("admin:tiers_program_download", args=[world.program.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="resellers.json"'
    document = json.loads(response.content)
    document["slug"] = "partners"
    upload = reverse("admin:tiers_program_upload")
    sent = staff.post(upload, {"file": SimpleUploadedFile("p.json", json.dumps(document).encode()), **ASKED})
    assert sent.status_code == 302
    assert Program.objects.get(slug="partners").editions.get().state == "published"


def test_a_bad_program_file_is_refused_with_its_places(staff: Client, world: World) -> None:
    document = program_file.dump(world.program)
    document["slug"] = "other"
    del document["currency"]
    file = SimpleUploadedFile("p.json", json.dumps(document).encode())
    refused = staff.post(reverse("admin:tiers_program_upload"), {"file": file, **ASKED})
    assert refused.status_code == 200
    assert "currency" in str(refused.context["form"].non_field_errors())
    assert not Program.objects.filter(slug="other").exists()
