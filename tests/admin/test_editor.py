"""The program editor: a draft is edited as a document, checked, published and copied; what is published stands still."""

import json
import re
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from common.periods import add_months, program_today
from journal.models import Entry
from tests.admin.world import World, make_world, more_rows
from tests.factories import make_partner, make_portal_user, make_sale, make_user
from tiers import documents, drafting, program_file, services
from tiers.admin.editor_texts import TEXTS
from tiers.errors import DraftChangedError, DraftShapeError, EditionFrozenError, MeasureError
from tiers.models import Benefit, Edition, Measure, Program

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}
SCRIPTS = [settings.BASE_DIR / "static/js/edition-editor.js", *(settings.BASE_DIR / "static/js/editor").glob("*.js")]
ORDERS = {
    "key": "orders", "name": {"en": "Orders", "fr": "Commandes"}, "aggregate": "distinct", "dataset": "sales",
    "field": "order_number", "window": {"last": 12, "unit": "months"},
}  # fmt: skip


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


def address(edition: Edition, name: str = "") -> str:
    return reverse(f"admin:tiers_edition_editor{f'_{name}' if name else ''}", args=[edition.pk])


def post(client: Client, edition: Edition, name: str, body: Any) -> Any:
    return client.post(address(edition, name), json.dumps(body), content_type="application/json")


def keep(client: Client, edition: Edition, document: dict[str, Any], seen: str = "") -> Any:
    seen = seen or drafting.fingerprint(drafting.read(edition))
    return post(client, edition, "save", {"document": document, "seen": seen})


# --- Published and copied -------------------------------------------------------------------------


def test_a_copy_has_everything_and_is_a_draft(world: World, draft: Edition) -> None:
    original, copied = documents.edition(world.edition), documents.edition(draft)
    assert {**copied, "name": "", "starts_on": "", "state": ""} == {
        **original,
        "name": "",
        "starts_on": "",
        "state": "",
    }
    assert (draft.state, draft.starts_on) == ("draft", date(2027, 1, 1))


def test_a_copy_costs_the_same_however_many_measures(world: World, draft: Edition) -> None:
    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            services.copy_edition(edition=draft, name=name, starts_on=date(2027, 1, 1))
        return len(asked)

    queries("first")
    few = queries("few")
    one = draft.measures.get()
    for number in range(20):
        Measure.objects.create(edition=draft, key=f"more-{number}", name=one.name, definition=one.definition)
    assert queries("many") == few


def test_a_name_is_taken_once(world: World, draft: Edition) -> None:
    with pytest.raises(EditionFrozenError):
        services.copy_edition(edition=world.edition, name="2027", starts_on=date(2028, 1, 1))
    assert Edition.objects.count() == 2


def test_what_is_published_is_read_in_sentences_and_has_no_field(staff: Client, world: World) -> None:
    url = reverse("admin:tiers_edition_change", args=[world.edition.pk])
    page = staff.get(url).content.decode()
    assert "never changes" in page
    assert "Net sales: at least $50,000 over 12 months" in page
    assert "Sum of “Net amount” (Sales) over 12 months" in page
    assert 'name="starts_on"' not in page
    assert address(world.edition) not in page
    assert staff.post(url, {"name": "x"}).status_code == 403
    assert (
        staff.post(reverse("admin:tiers_edition_delete", args=[world.edition.pk]), {"post": "yes"}).status_code == 403
    )


def test_the_editor_of_what_is_published_is_closed(staff: Client, world: World) -> None:
    before, document = documents.edition(world.edition), drafting.read(world.edition)
    assert staff.get(address(world.edition))["Location"] == reverse(
        "admin:tiers_edition_change", args=[world.edition.pk]
    )
    assert staff.post(address(world.edition), {"tiers": "[]"}).status_code == 403
    for name in ("save", "words", "value"):
        assert post(staff, world.edition, name, {"document": document}).status_code == 403, name
    assert staff.get(address(world.edition, "partners")).status_code == 403
    with pytest.raises(EditionFrozenError):
        drafting.save(edition=world.edition, document=document, seen=drafting.fingerprint(document))
    assert documents.edition(world.edition) == before


def test_services_refuse_to_change_what_is_published(world: World) -> None:
    tier = world.edition.tiers.get(rank=2)
    for change in (services.save_draft, services.remove_from_draft):
        with pytest.raises(EditionFrozenError):
            change(part=tier, actor=world.staff)
    with pytest.raises(EditionFrozenError):
        services.save_draft(part=world.edition, actor=world.staff)


def test_only_staff_who_may_reach_the_editor(world: World, draft: Edition, client: Client) -> None:
    for user in (make_user(), make_portal_user(make_partner())):
        client.force_login(user)
        for name in ("", "partners"):
            assert client.get(address(draft, name)).status_code == 302
        for name in ("save", "words", "value"):
            assert post(client, draft, name, {}).status_code == 302
    assert Edition.objects.get(pk=draft.pk).tiers.count() == 3


# --- Kept -----------------------------------------------------------------------------------------


def test_the_page_holds_the_draft_for_browsers_with_and_without_scripts(staff: Client, draft: Edition) -> None:
    page = staff.get(address(draft))
    shown = {part: json.loads(text) for part, _label, text in page.context["parts"]}
    assert shown == drafting.read(draft)
    assert 'id="editor-catalogue"' in page.content.decode()


def test_the_page_costs_the_same_however_much_the_draft_holds(staff: Client, world: World, draft: Edition) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            staff.get(address(draft))
            post(staff, draft, "words", {"document": drafting.read(draft), "shown": "tiers[1]"})
            staff.get(reverse("admin:tiers_edition_change", args=[draft.pk]))
        return len(asked)

    queries()
    few = queries()
    document = drafting.read(draft)
    document["measures"] += [{**ORDERS, "key": f"orders-{number}"} for number in range(12)]
    document["tiers"] += [{**document["tiers"][2], "code": f"more-{number}"} for number in range(12)]
    drafting.save(edition=draft, document=document, seen=drafting.fingerprint(drafting.read(draft)))
    more_rows(world, 3)
    assert queries() == few


def test_a_draft_is_kept_part_by_part_with_its_entries(staff: Client, world: World, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"].append(ORDERS)
    document["tiers"][1]["name"] = {"en": "Silver", "fr": "Argent"}
    document["tiers"][1]["earn"] = {
        "all": [{"measure": "net-sales-12m", "is": "at_least", "value": 60000}, {"measure": "orders", "is": "at_least", "value": 4}]
    }  # fmt: skip
    document["tiers"][1]["benefits"] = [{"code": "lead-sharing", "terms": {"en": "ten a year"}, "quantity": "10", "per": "year"}]  # fmt: skip
    document["life"] = {"demotion": {"every": "quarter"}}
    last = Entry.objects.latest("pk").pk
    answer = keep(staff, draft, document).json()
    assert (answer["says"], answer["problems"]) == ("Saved", [])
    draft.refresh_from_db()
    assert drafting.read(draft) == document
    assert answer["seen"] == drafting.fingerprint(document)
    assert sorted(Entry.objects.filter(pk__gt=last).values_list("verb", "actor")) == [
        ("tiers.edition.changed", world.staff.pk), ("tiers.measure.created", world.staff.pk),
        ("tiers.tier.changed", world.staff.pk), ("tiers.tierbenefit.changed", world.staff.pk),
    ]  # fmt: skip
    assert Entry.objects.get(verb="tiers.tier.changed").after["name"] == {"en": "Silver", "fr": "Argent"}


def test_keeping_again_changes_nothing(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    before = Entry.objects.count()
    ids = list(draft.tiers.values_list("pk", flat=True))
    assert keep(staff, draft, document).status_code == 200
    assert Entry.objects.count() == before
    assert list(draft.tiers.values_list("pk", flat=True)) == ids


def test_tiers_change_places(staff: Client, draft: Edition) -> None:
    """A rank stands once in an edition, at every moment."""
    document = drafting.read(draft)
    first, second, third = document["tiers"]
    document["tiers"] = [first, third, second]
    assert keep(staff, draft, document).status_code == 200
    assert list(draft.tiers.order_by("rank").values_list("code", "rank")) == [
        (first["code"], 1), (third["code"], 2), (second["code"], 3)
    ]  # fmt: skip
    entry = Entry.objects.get(verb="tiers.edition.tiers-reordered")
    assert entry.before == {"tiers": [first["code"], second["code"], third["code"]]}
    assert entry.after == {"tiers": [first["code"], third["code"], second["code"]]}


def test_a_tier_that_goes_leaves_its_rank(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    gone = document["tiers"].pop(1)
    assert keep(staff, draft, document).status_code == 200
    assert list(draft.tiers.order_by("rank").values_list("rank", flat=True)) == [1, 2]
    assert Entry.objects.get(verb="tiers.tier.removed").before == {"name": gone["name"]["en"]}


def test_a_measure_goes_when_nothing_names_it(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"] = [ORDERS]
    for tier in document["tiers"][1:]:
        tier["earn"] = {"measure": "orders", "is": "at_least", "value": tier["code"] == "level-3" or 2}
        tier["earn"]["value"] = 2
    assert keep(staff, draft, document).json()["problems"] == []
    assert list(draft.measures.values_list("key", flat=True)) == ["orders"]


def test_a_measure_that_a_rule_asks_about_is_not_removed(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"] = []
    refused = keep(staff, draft, document)
    assert refused.status_code == 409
    assert "is asked about by" in refused.json()["says"]
    assert draft.measures.count() == 1
    with pytest.raises(MeasureError):
        services.remove_from_draft(part=draft.measures.get())


def test_what_somebody_else_changed_is_not_written_over(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    seen = drafting.fingerprint(document)
    theirs = deepcopy(document)
    theirs["life"] = {"up_by": 1}
    drafting.save(edition=draft, document=theirs, seen=seen)
    document["life"] = {"up_by": 2}
    refused = keep(staff, draft, document, seen)
    assert refused.status_code == 409
    assert "Somebody changed this draft meanwhile" in refused.json()["says"]
    with pytest.raises(DraftChangedError):
        drafting.save(edition=draft, document=document, seen=seen)
    assert Edition.objects.get(pk=draft.pk).life == {"up_by": 1}


@pytest.mark.parametrize(
    ("part", "value", "path"),
    [
        ("tiers", [], "tiers"),
        ("tiers.0.name", {}, "tiers[0].name"),
        ("tiers.1.color", "red", "tiers[1].color"),
        ("tiers.1.earn", {"all": []}, "tiers[1].earn.all"),
        ("tiers.1.earn.value", "", "tiers[1].earn.value"),
        ("measures.0.window", {"last": 0, "unit": "months"}, "measures[0].window.last"),
        ("measures.0.name", {"de": "Umsatz"}, "measures[0].name"),
        ("tiers.1.code", "level-1", "tiers[1]"),
        ("tiers.1.benefits", [{"code": "yachts"}], "tiers[1].benefits[0]"),
        ("life", {"grace": {"months": 0}}, "life.grace.months"),
        ("country_groups", {"growth": []}, "country_groups.growth"),
        ("exchange", {"EUR": {"amount": "100"}}, "exchange.EUR"),
    ],
)
def test_what_no_draft_can_hold_is_refused_with_its_place(
    staff: Client, draft: Edition, part: str, value: Any, path: str
) -> None:
    before = drafting.read(draft)
    document = deepcopy(before)
    *way, last = [int(step) if step.isdigit() else step for step in part.split(".")]
    holder: Any = document
    for step in way:
        holder = holder[step]
    holder[last] = value
    refused = keep(staff, draft, document)
    assert refused.status_code == 409
    assert path in [problem["path"] for problem in refused.json()["problems"]]
    with pytest.raises(DraftShapeError):
        drafting.save(edition=draft, document=document, seen=drafting.fingerprint(before))
    assert drafting.read(draft) == before


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"document": []}', '{"document": {"tiers": [{"code": 1}]}}'])
def test_what_is_no_document_is_refused(staff: Client, draft: Edition, body: str) -> None:
    for name, status in (("save", 409), ("words", 400), ("value", 409)):
        refused = staff.post(address(draft, name), body, content_type="application/json")
        assert refused.status_code == status, name
    assert draft.tiers.count() == 3


def test_without_scripts_a_draft_is_edited_as_text(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    texts = {part: json.dumps(document[part]) for part in drafting.PARTS}
    seen = drafting.fingerprint(document)
    refused = staff.post(address(draft), {**texts, "life": "{up_by: 1}", "seen": seen})
    assert "Life of a tier: line 1, column 2 is not JSON" in refused.content.decode()
    assert "{up_by: 1}" in refused.content.decode()
    refused = staff.post(address(draft), {**texts, "tiers": "[]", "seen": seen})
    assert "An edition has one tier at least." in refused.content.decode()
    sent = staff.post(address(draft), {**texts, "life": '{"up_by": 1}', "seen": seen})
    assert sent.status_code == 302
    assert Edition.objects.get(pk=draft.pk).life == {"up_by": 1}


# --- In words -------------------------------------------------------------------------------------


def test_the_sentence_is_said_in_both_languages(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    document["tiers"][1]["earn"]["value"] = 75000
    said = post(staff, draft, "words", {"document": document, "shown": "tiers[1]"}).json()
    assert said["words"]["tiers[1].earn"] == {
        "en": {"says": "Net sales: at least $75,000 over 12 months", "children": []},
        "fr": {"says": "Chiffre d’affaires net\u00a0: au moins 75\u202f000\u00a0$US sur 12 mois", "children": []},
    }
    assert said["problems"] == []
    assert draft.tiers.get(rank=2).earn["value"] == "50000"


def test_a_measure_is_said_in_both_languages(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"][0]["filters"] = [{"field": "kind", "is": "not", "value": "renewal"}]
    said = post(staff, draft, "words", {"document": document, "shown": "measures[0]"}).json()["words"]["measures[0]"]
    assert said["en"]["says"] == "Sum of “Net amount” (Sales) over 12 months; only where Kind is not Renewal"
    assert said["fr"]["says"].startswith("Somme de «\u00a0Montant net\u00a0» (Ventes) sur 12 mois")


def test_every_problem_is_told_at_its_place(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    asked = {"measure": "net-sales-12m", "is": "at_least", "value": 1}
    document["tiers"][1]["earn"] = {"all": [asked, {"measure": "nothing", "is": "at_least", "value": 1}]}
    document["tiers"][2]["earn"] = {"any": [{"meets": "platinum"}, asked]}
    document["tiers"][2]["keep"] = {"at_least": 3, "of": [asked, asked]}
    told = post(staff, draft, "words", {"document": document, "shown": "tiers[1]"}).json()
    assert {(one["path"], one["says"]) for one in told["problems"]} == {
        ("tiers[1].earn.all[1]", "There is no measure “nothing” in this edition."),
        ("tiers[2].earn.any[0]", "There is no tier or distinction “platinum” in this edition."),
        ("tiers[2].keep", "At least 3 are asked of 2 rules."),
    }
    assert told["words"] == {}


def test_a_problem_of_a_measure_is_told_at_the_filter(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"][0]["filters"] = [
        {"field": "kind", "value": "new"},
        {"any": [{"field": "colour", "value": "red"}]},
    ]
    told = post(staff, draft, "words", {"document": document, "shown": "measures[0]"}).json()["problems"]
    assert [one["path"] for one in told] == ["measures[0].filters[1].any[0]"]


def test_a_draft_with_problems_is_kept_and_cannot_be_published(staff: Client, draft: Edition) -> None:
    document = drafting.read(draft)
    del document["tiers"][2]["earn"]
    answer = keep(staff, draft, document).json()
    assert answer["says"] == "Saved. What is marked has to be mended before it can be published."
    assert [one["path"] for one in answer["problems"]] == ["tiers[2]"]
    check, publish = (reverse(f"admin:tiers_edition_{name}", args=[draft.pk]) for name in ("check_rules", "publish"))
    assert "the rule to reach it" in staff.get(check, follow=True).content.decode()
    refused = staff.post(publish, ASKED)
    assert len(list(refused.context["form"].non_field_errors())) == 1
    assert Edition.objects.get(pk=draft.pk).state == "draft"
    document["tiers"].pop()
    assert keep(staff, draft, document).json()["problems"] == []
    assert "can be evaluated" in staff.get(check, follow=True).content.decode()
    assert staff.post(publish, ASKED).status_code == 302
    assert Edition.objects.get(pk=draft.pk).state == "published"


RULES = st.recursive(
    st.one_of(
        st.builds(
            lambda key, is_, value: {"measure": key, "is": is_, "value": value},
            st.sampled_from(["net-sales-12m", "nothing"]),
            st.sampled_from(["at_least", "more_than", "at_most", "less_than", "equal"]),
            st.integers(-5, 10**9),
        ),
        st.builds(lambda code: {"meets": code}, st.sampled_from(["level-1", "level-2", "level-3", "gold"])),
        st.builds(
            lambda trait, is_, values: {"partner": trait, "is": is_, "value": values},
            st.sampled_from(["country", "country_group", "tier", "enrolled_on", "segment"]),
            st.sampled_from(["in", "not_in"]),
            st.lists(st.sampled_from(["FR", "level-2", "growth"]), min_size=1, max_size=2),
        ),
    ),
    lambda inside: st.one_of(
        st.builds(lambda kind, of: {kind: of}, st.sampled_from(["all", "any", "none"]), st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda count, of: {"at_least": count, "of": of}, st.integers(1, 4), st.lists(inside, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)  # fmt: skip


@given(rule=RULES)
def test_a_rule_is_said_in_words_or_has_a_problem(rule: dict[str, Any]) -> None:
    """Whatever a person builds: there is a sentence in every language, or a problem below the rule says what is wrong."""
    edition = Edition(pk=1, program=Program(pk=1, currency="EUR"), name="x", starts_on=date(2026, 1, 1))
    named = {"name": {"en": "x"}, "color": "#000000"}
    document = {
        **{part: [] if part in drafting.LISTS else {} for part in drafting.PARTS},
        "measures": [{**ORDERS, "key": "net-sales-12m", "aggregate": "count"}],
        "tiers": [{"code": "level-1", **named}, {"code": "level-2", **named, "earn": rule}, {"code": "level-3", **named, "granted_only": True}],
    }  # fmt: skip
    said = drafting.rules_in_words(edition, document, "tiers[1]")
    wrong = [one for one in drafting.problems(edition, document) if one.path.startswith("tiers[1].earn")]
    assert bool(wrong) or set(said["tiers[1].earn"]) == {"en", "fr"}


# --- See the value --------------------------------------------------------------------------------


def test_a_measure_of_the_document_is_measured_for_one_partner(staff: Client, world: World, draft: Edition) -> None:
    other = make_partner(name="Cycles Martin")
    services.enroll(partner=other, program=world.program, on=program_today())
    make_sale(other, amount=9999, sold_on=add_months(program_today(), -1))
    asked = {"document": drafting.read(draft), "measure": "net-sales-12m", "enrollment": world.enrollment.pk}
    seen = post(staff, draft, "value", asked).json()
    assert seen["figure"] == "$1,000"
    assert seen["members"] == []
    asked["document"]["measures"] = [
        *asked["document"]["measures"],
        {**ORDERS, "key": "all-sales", "aggregate": "count", "by": "kind"},
        {"key": "half", "name": {"en": "Half"}, "ratio": ["net-sales-12m", "net-sales-12m"]},
        {"key": "tenure", "name": {"en": "Tenure"}, "tenure": "enrollment", "unit": "days"},
        {"key": "place", "name": {"en": "Place"}, "rank": "net-sales-12m", "within": "program", "as": "position"},
    ]
    del asked["document"]["measures"][1]["field"]
    assert post(staff, draft, "value", {**asked, "measure": "half"}).json()["figure"] == "100%"
    assert post(staff, draft, "value", {**asked, "measure": "tenure"}).json()["figure"] == "400"
    by_kind = post(staff, draft, "value", {**asked, "measure": "all-sales"}).json()
    assert (by_kind["figure"], by_kind["members"]) == ("A figure for each", [["new", "1"]])
    refused = post(staff, draft, "value", {**asked, "measure": "place"})
    assert (refused.status_code, "when everyone is measured" in refused.json()["problem"]) == (409, True)


def test_a_measure_that_cannot_be_measured_says_why(staff: Client, world: World, draft: Edition) -> None:
    document = drafting.read(draft)
    document["measures"][0]["field"] = "colour"
    asked = {"document": document, "measure": "net-sales-12m", "enrollment": world.enrollment.pk}
    refused = post(staff, draft, "value", asked)
    assert refused.status_code == 409
    assert "colour" in refused.json()["problem"]
    assert post(staff, draft, "value", {**asked, "measure": "nothing"}).json()["problem"] == "There is no such measure."


def test_partners_are_found_by_name_in_the_program_only(staff: Client, world: World, draft: Edition) -> None:
    elsewhere = make_partner(name="Cycles Durand")
    other = program_file.import_program(json.dumps({**program_file.dump(world.program), "slug": "other"}))
    enrolled = services.enroll(partner=elsewhere, program=other, on=program_today())
    found = staff.get(address(draft, "partners"), {"q": "cycles du"}).json()["partners"]
    assert found == [{"id": world.enrollment.pk, "name": "Cycles Dupont"}]
    asked = {"document": drafting.read(draft), "measure": "net-sales-12m", "enrollment": enrolled.pk}
    assert post(staff, draft, "value", asked).status_code == 404


# --- The edition's own page, and files ------------------------------------------------------------


def test_an_edition_is_made_and_leads_to_its_editor(staff: Client, world: World) -> None:
    form = {"program": world.program.pk, "name": "2030", "starts_on": "2030-01-01", "notes_en": "", "notes_fr": ""}
    made = staff.post(reverse("admin:tiers_edition_add"), form)
    edition = Edition.objects.get(name="2030")
    assert made["Location"] == address(edition)
    page = staff.get(address(edition))
    assert json.loads(page.context["parts"][0][2]) == []


def test_the_edition_s_own_fields_are_edited(staff: Client, world: World, draft: Edition) -> None:
    url = reverse("admin:tiers_edition_change", args=[draft.pk])
    assert address(draft) in staff.get(url).content.decode()
    form = {"name": "2028", "starts_on": "2028-01-01", "notes_en": "No figure was published.", "notes_fr": ""}
    assert staff.post(url, form).status_code == 302
    draft.refresh_from_db()
    assert (draft.name, draft.starts_on, draft.notes) == ("2028", date(2028, 1, 1), {"en": "No figure was published."})
    assert Entry.objects.get(verb="tiers.edition.changed").actor == world.staff


def test_a_draft_is_deleted_whole(staff: Client, draft: Edition) -> None:
    assert staff.post(reverse("admin:tiers_edition_delete", args=[draft.pk]), {"post": "yes"}).status_code == 302
    assert not Edition.objects.filter(pk=draft.pk).exists()
    assert Entry.objects.get(verb="tiers.edition.removed").before == {"name": str(draft)}


def test_copying_leads_to_the_new_draft(staff: Client, world: World) -> None:
    url = reverse("admin:tiers_edition_copy", args=[world.edition.pk])
    response = staff.post(url, {"name": "2027", "starts_on": "2027-01-01", **ASKED})
    assert response["Location"] == reverse("admin:tiers_edition_change", args=[Edition.objects.get(name="2027").pk])


def test_what_is_built_is_what_a_file_says(staff: Client, world: World, draft: Edition) -> None:
    """The editor and the file are two doors to the same document."""
    Benefit.objects.create(program=world.program, code="event-money", kind="money", name={"en": "Event money"})
    document = drafting.read(draft)
    document["measures"].append(ORDERS)
    document["distinctions"] = [
        {"code": "champion", "name": {"en": "Champion"}, "color": "#b08d2e", "earn": {"measure": "orders", "is": "at_least", "value": 9}}
    ]  # fmt: skip
    document["tiers"][2]["benefits"] = [{"code": "event-money", "quantity": "3000", "per": "year"}]
    assert keep(staff, draft, document).status_code == 200
    described = next(one for one in program_file.dump(world.program)["editions"] if one["name"] == "2027")
    assert {part: described.get(part, [] if part in drafting.LISTS else {}) for part in drafting.PARTS} == document
    before = program_file.export_program(world.program)
    assert program_file.export_program(program_file.import_program(before)) == before


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


# --- The script's texts ---------------------------------------------------------------------------


def test_the_script_s_texts_are_those_that_are_translated() -> None:
    said = {text for path in SCRIPTS for text in re.findall(r'\bt\(\s*"((?:[^"\\]|\\.)*)"', Path(path).read_text())}
    assert sorted(said) == TEXTS
