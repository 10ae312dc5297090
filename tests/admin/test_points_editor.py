"""The points table's editor: read as a document, refused with places, kept by the service of program files, tried out."""

import json
import re
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from time_machine import travel

from accounts.models import User
from journal.models import Entry
from points import documents, services, trying
from points.admin.editor_texts import TEXTS
from points.errors import ClaimError, PointTableChangedError, PointTableError
from points.forms import ClaimForm
from points.models import PointEntry, PointRule
from tests.factories import (
    make_certificate,
    make_member,
    make_partner,
    make_portal_user,
    make_program,
    make_sale,
    make_sales_edition,
    make_staff,
    make_user,
)
from tests.points.facts import enrolled, pointed_program, row, run_night, set_rows
from tiers import program_file
from tiers.admin.editor_texts import TEXTS as SHARED_TEXTS
from tiers.models import Enrollment, Measure, Program
from tiers.services import copy_edition

pytestmark = pytest.mark.django_db
D = Decimal
TODAY, NIGHT = date(2026, 2, 1), date(2026, 2, 1)
SCRIPTS = [settings.BASE_DIR / "static/js/points-editor.js", *(settings.BASE_DIR / "static/js/points").glob("*.js")]
REVENUE = {
    "code": "revenue", "name": {"en": "Revenue", "fr": "Chiffre d’affaires"}, "category": "sales", "starts_on": "2026-01-01",
    "ends_on": "2027-01-01", "dataset": "sales", "filters": [{"field": "kind", "value": "new"}],
    "each": {"amount_of": "amount", "per": 1000}, "points": 10,
    "multipliers": [{"when": [{"field": "category", "value": "bikes"}], "times": "1.5"}], "expires": {"months": 12},
    "at_most": {"occurrences": 40, "points": 500}, "claims": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _today() -> Any:
    with travel("2026-02-01T10:00:00+01:00", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return pointed_program(row())


@pytest.fixture
def author(client: Client) -> User:
    """Who is signed in as `client`."""
    user = make_staff()
    client.force_login(user)
    return user


def address(program: Program, name: str = "") -> str:
    return reverse(f"admin:points_pointrule_editor{f'_{name}' if name else ''}", args=[program.pk])


def post(client: Client, program: Program, name: str, rows: Any, **more: Any) -> Any:
    body = {"document": {"points": rows}, **more}
    return client.post(address(program, name), json.dumps(body), content_type="application/json")


def keep(client: Client, program: Program, rows: list[dict[str, Any]], seen: str = "") -> Any:
    return post(client, program, "save", rows, seen=seen or documents.fingerprint(documents.rows(program)))


def granted(program: Program) -> Enrollment:
    """One sale of 2026-01-15 that the night of 2026-02-01 has granted 300 points for."""
    owner = enrolled(program, name="Cycles Dupont")
    make_sale(owner.partner, sold_on=date(2026, 1, 15), amount=D(100))
    run_night(program, NIGHT)
    return owner


# --- Who gets in ----------------------------------------------------------------------------------


def test_only_staff_who_may_change_rows_reach_the_editor(program: Program, client: Client) -> None:
    for user in (make_user(), make_portal_user(make_partner())):
        client.force_login(user)
        assert client.get(address(program)).status_code == 302
        assert keep(client, program, []).status_code == 302
    client.force_login(make_user(is_staff=True))
    assert client.get(address(program)).status_code == 403
    for name in ("save", "words", "try"):
        assert post(client, program, name, []).status_code == 403, name
    assert client.get(address(program, "partners")).status_code == 403
    assert PointRule.objects.count() == 1


def test_who_may_only_look_is_led_to_the_list(program: Program, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_pointrule"))
    client.force_login(user)
    listed = f"{reverse('admin:points_pointrule_changelist')}?program__id__exact={program.pk}"
    assert client.get(address(program))["Location"] == listed
    assert client.post(address(program), {"points": "[]"}).status_code == 403
    assert "Edit the table" not in client.get(listed).content.decode()


def test_the_button_leads_to_the_table(program: Program, author: User, client: Client) -> None:
    button = reverse("admin:points_pointrule_edit_a_table")
    assert client.get(button)["Location"] == address(program)
    other = pointed_program(slug="others")
    asked = client.get(button)
    assert asked.status_code == 200
    assert client.post(button, {"_ask": "1", "program": other.pk})["Location"] == address(other)
    rule = program.point_rules.get()
    there = client.get(reverse("admin:points_pointrule_edit_table", args=[rule.pk]))
    assert there["Location"] == f"{address(program)}#points/studio-site/2026-01-01"


# --- The page -------------------------------------------------------------------------------------


def test_the_page_holds_the_table_and_what_stands(program: Program, author: User, client: Client) -> None:
    granted(program)
    page = client.get(address(program))
    assert json.loads(page.context["text"]) == [row()]
    assert page.context["catalogue"]["granted"] == {"studio-site 2026-01-01": {"last": "2026-01-15", "claimed": False}}
    assert 'id="editor-catalogue"' in page.content.decode()


def test_the_page_names_the_measures_that_cap_categories(program: Program, author: User, client: Client) -> None:
    assert client.get(address(program)).context["catalogue"]["capped"] == []
    draft = copy_edition(edition=program.editions.get(), name="2027", starts_on=date(2027, 1, 1))
    Measure.objects.create(
        edition=draft, key="points", name={"en": "Points"}, definition={
            "aggregate": "sum", "dataset": "points", "field": "points", "window": {"kind": "today"},
            "caps": {"field": "category", "values": {"sites": 500}},
        },
    )  # fmt: skip
    assert client.get(address(program)).context["catalogue"]["capped"] == [{
        "name": "Points", "edition": "2027", "caps": [["Sites", "500"]],
        "address": f"{reverse('admin:tiers_edition_editor', args=[draft.pk])}#measures/points",
    }]  # fmt: skip


def test_the_pages_cost_the_same_however_long_the_table(program: Program, author: User, client: Client) -> None:
    owner = granted(program)

    def queries() -> list[int]:
        rows = documents.rows(program)
        counts = []
        for ask in (
            lambda: client.get(address(program)),
            lambda: post(client, program, "words", rows, shown="points[0]"),
            lambda: post(client, program, "try", rows, row=0, enrollment=owner.pk),
        ):
            with CaptureQueriesContext(connection) as asked:
                assert ask().status_code == 200
            counts.append(len(asked))
        return counts

    queries()
    few = queries()
    assert set_rows(program, row(), *(row(f"more-{number}") for number in range(25))) == []
    for number in range(30):
        make_sale(owner.partner, sold_on=date(2026, 1, 10), amount=D(number + 1))
    assert queries() == few
    assert max(few) <= 20


# --- Kept -----------------------------------------------------------------------------------------


def test_a_table_is_kept_by_one_entry_and_comes_out_byte_for_byte(author: User, client: Client) -> None:
    program = make_program()
    make_sales_edition(program)
    assert set_rows(program, row()) == []
    table = [REVENUE, row()]
    answer = keep(client, program, table).json()
    assert (answer["says"], answer["problems"]) == ("Saved. The next night grants by it.", [])
    assert answer["seen"] == documents.fingerprint(table)
    entry = Entry.objects.filter(verb="points.table.set").latest("pk")
    assert (entry.actor, entry.before, entry.after) == (author, {"rows": [row()]}, {"rows": table})
    exported = program_file.export_program(program)
    file = json.loads(exported)
    assert json.dumps(file["points"]) == json.dumps(table)
    other = program_file.import_program(json.dumps({**file, "slug": "from-a-file"}))
    assert program_file.export_program(other).replace("from-a-file", program.slug) == exported
    assert not program.point_rules.get(code="revenue").takes_claims


def test_keeping_again_changes_nothing(program: Program, author: User, client: Client) -> None:
    ids, entries = list(program.point_rules.values_list("pk", flat=True)), Entry.objects.count()
    assert keep(client, program, [row()]).status_code == 200
    assert (list(program.point_rules.values_list("pk", flat=True)), Entry.objects.count()) == (ids, entries)


def test_a_new_order_and_a_new_name_are_kept_and_journaled(program: Program, author: User, client: Client) -> None:
    keep(client, program, [row(), REVENUE])
    renamed = {**row(), "name": {"en": "Sites"}}
    assert keep(client, program, [REVENUE, renamed]).status_code == 200
    assert [str(one) for one in program.point_rules.order_by("position")] == ["Revenue", "Sites"]
    assert Entry.objects.latest("pk").after == {"rows": [REVENUE, renamed]}


def test_what_somebody_else_changed_is_not_written_over(program: Program, author: User, client: Client) -> None:
    seen = documents.fingerprint(documents.rows(program))
    assert set_rows(program, row(points="400")) == []
    refused = keep(client, program, [row(points="500")], seen)
    assert refused.status_code == 409
    assert "Somebody changed this table meanwhile" in refused.json()["says"]
    with pytest.raises(PointTableChangedError):
        services.set_point_rules(program=program, rows=[documents.row_asked(row())], seen=seen)
    assert program.point_rules.get().terms["points"] == "400"


@pytest.mark.parametrize(
    ("over", "path", "says"),
    [
        ({"name": {}}, "points[0].name", "Something is missing here: fill it in or choose it."),
        ({"category": ""}, "points[0].category", "Something is missing here: fill it in or choose it."),
        ({"points": ""}, "points[0].points", "Something is missing here: fill it in or choose it."),
        ({"points": 0}, "points[0].points", "“0” cannot stand here."),
        ({"starts_on": ""}, "points[0].starts_on", "Something is missing here: fill it in or choose it."),
        ({"expires": {"months": 0}}, "points[0].expires.months", "At least 1 stands here."),
        ({"each": {"amount_of": "amount", "per": ""}}, "points[0].each.per",
         "Something is missing here: fill it in or choose it."),
        ({"each": {"amount_of": "kind", "per": 1}}, "points[0].each.amount_of",
         "“kind” cannot be cut into slices: it is no number."),
        ({"multipliers": [{"times": 2}]}, "points[0].multipliers[0]", "Say which facts it is for: add a filter."),
        ({"multipliers": [{"when": [{"field": "colour", "value": "red"}], "times": 2}]},
         "points[0].multipliers[0].when[0]", None),
        ({"filters": [{"any": [{"field": "kind", "value": "gift"}]}]}, "points[0].filters[0].any[0]",
         "“gift” is no value that field “kind” can have."),
        ({"dataset": "nothing"}, "points[0].dataset", None),
        ({"ends_on": "2026-01-01"}, "points[0].ends_on", "The row ends before it starts."),
        ({"name": {"de": "Umsatz"}}, "points[0].name",
         "“de” is not a language of this site; it has en, fr."),
        ({"points": -1, "at_most": {"points": 5}}, "points[0].at_most.points",
         "Only points above nothing can be limited."),
        ({"code": "revenue", "starts_on": "2026-06-01"}, "points[0]",
         "Two rows of “revenue” hold 2026-06-01: the earlier one needs an end."),
    ],
)  # fmt: skip
def test_what_no_table_can_hold_is_refused_with_its_place(
    program: Program, author: User, client: Client, over: dict[str, Any], path: str, says: str | None
) -> None:
    table = [{**row(), **over}, REVENUE]
    refused = keep(client, program, table)
    assert (refused.status_code, refused.json()["says"]) == (409, "Not saved: what is marked has to be mended first.")
    told = {one["path"]: one["says"] for one in refused.json()["problems"]}
    assert path in told, told
    assert says is None or told[path] == says
    assert post(client, program, "words", table, shown="points[0]").json()["problems"] == refused.json()["problems"]
    assert documents.rows(program) == [row()]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"document": []}', '{"document": {"points": [1]}}'])
def test_what_is_no_table_is_refused(program: Program, author: User, client: Client, body: str) -> None:
    for name, status in (("save", 409), ("words", 400), ("try", 400)):
        answer = client.post(address(program, name), body, content_type="application/json")
        assert answer.status_code == status, name
    assert program.point_rules.count() == 1


def test_without_scripts_the_table_is_edited_as_text(program: Program, author: User, client: Client) -> None:
    seen = documents.fingerprint(documents.rows(program))
    refused = client.post(address(program), {"points": "[{]", "seen": seen}).content.decode()
    assert "Line 1, column 3: this is not JSON" in refused
    assert "[{]" in refused
    wrong = json.dumps([{**row(), "points": 0}])
    assert "points[0].points: “0” cannot stand here." in client.post(address(program), {"points": wrong, "seen": seen}).content.decode()  # fmt: skip
    right = json.dumps([row(points="450")])
    assert client.post(address(program), {"points": right, "seen": seen}).status_code == 302
    assert program.point_rules.get().terms["points"] == "450"


# --- What stands ----------------------------------------------------------------------------------


def test_a_row_that_granted_is_told_of_at_once_and_kept_as_it_was(
    program: Program, author: User, client: Client
) -> None:
    granted(program)
    values = (
        "The row “studio-site” from 2026-01-01 has granted points up to 2026-01-15, and its values stay as they were. Give it"
        " an end after that day, and describe what changes in another row that starts there."
    )
    early = "The row “studio-site” from 2026-01-01 has granted points on 2026-01-15: it cannot end before 2026-01-16."
    gone = "The row “studio-site” from 2026-01-01 has granted points, so it stays: give it an end instead."
    for table, path, says in (
        ([REVENUE, row(points="400")], "points[1]", values),
        ([REVENUE, row(category="other")], "points[1]", values),
        ([row(ends_on="2026-01-10")], "points[0].ends_on", early),
        ([REVENUE], "points", gone),
    ):
        expected = [{"path": path, "says": says}]
        assert post(client, program, "words", table, shown="points[0]").json()["problems"] == expected
        refused = keep(client, program, table)
        assert (refused.status_code, refused.json()["problems"]) == (409, expected)
        with pytest.raises(PointTableError):
            services.set_point_rules(program=program, rows=[documents.row_asked(one) for one in table])
    assert documents.rows(program) == [row()]


def test_a_successor_takes_over_from_a_day_on(program: Program, author: User, client: Client) -> None:
    owner = granted(program)
    ended = {**row(ends_on="2026-02-01"), "name": {"en": "Before"}, "claims": False}
    ended = {key: ended[key] for key in (*list(row())[:4], "ends_on", *list(row())[4:], "claims")}
    other = row(starts_on="2026-02-01", points="450")
    assert keep(client, program, [ended, other]).status_code == 200
    make_sale(owner.partner, sold_on=date(2026, 2, 1), amount=D(100))
    run_night(program, date(2026, 2, 2))
    posted = PointEntry.objects.order_by("pk").values_list("points", "granted_on")
    assert list(posted) == [(D(300), date(2026, 1, 15)), (D(450), date(2026, 2, 1))]


def test_the_same_terms_in_another_order_rewrite_nothing(program: Program, author: User, client: Client) -> None:
    """What is frozen is text on SQLite: the order of its keys is no change."""
    keep(client, program, [REVENUE])
    owner = enrolled(program)
    make_sale(owner.partner, sold_on=date(2026, 1, 15), amount=D(5000), kind="new")
    run_night(program, NIGHT)
    turned = dict(reversed([*deepcopy(REVENUE).items()]))
    turned["name"] = {"en": "Sales revenue"}
    assert keep(client, program, [turned]).status_code == 200
    assert documents.rows(program) == [{**REVENUE, "name": {"en": "Sales revenue"}}]


# --- Claims ---------------------------------------------------------------------------------------


def test_a_row_may_take_no_claims(program: Program, author: User, client: Client) -> None:
    owner = granted(program)
    open_row = program.point_rules.get()
    asked = {
        "enrollment": owner, "category": "", "title": "Site", "text": "", "asked": D(300), "author": author
    }  # fmt: skip
    services.write_claim(rule=open_row, **asked)
    assert keep(client, program, [{**row(), "claims": False}]).status_code == 200
    closed = program.point_rules.get()
    with pytest.raises(ClaimError, match="No claims are taken for “Studio-site”"):
        services.write_claim(rule=closed, **asked)
    groups = dict(ClaimForm(rows=[closed]).fields["subject"].choices)
    assert groups["A row of the table"] == []
    assert groups["Something else, in"] == [("category:sites", "Sites")]


def test_a_row_with_claims_stays(program: Program, author: User, client: Client) -> None:
    rule, owner = program.point_rules.get(), enrolled(program)
    services.write_claim(
        enrollment=owner, rule=rule, category="", title="Site", text="", asked=D(300), author=author
    )  # fmt: skip
    refused = keep(client, program, [])
    assert refused.json()["problems"] == [
        {
            "path": "points",
            "says": "The row “studio-site” from 2026-01-01 has claims, so it stays: give it an end instead.",
        }
    ]
    assert keep(client, program, [row(points="400")]).status_code == 200


# --- In words -------------------------------------------------------------------------------------


def said(client: Client, program: Program, one: dict[str, Any]) -> Any:
    words = post(client, program, "words", [one], shown="points[0]").json()["words"]["points[0]"]
    return {
        code: [text["says"], *(each["says"] for each in text["children"])] for code, text in words.items()
    }  # fmt: skip


def test_a_row_is_said_in_both_languages(program: Program, author: User, client: Client) -> None:
    assert said(client, program, REVENUE) == {
        "en": [
            "Sales where Kind is New business: 10 points for each whole $1,000 of “Net amount”",
            "15 points where Product category is bikes (times 1.5)", "At most 40 times", "At most 500 points in all",
            "The points count for 12 months", "From 1 January 2026 to 31 December 2026",
            "It is granted by itself: no claims are taken for it",
        ],
        "fr": [
            "Ventes (seulement si Nature\u00a0:\u00a0Nouvelle affaire)\u00a0: 10 points par tranche entière de"
            " 1\u202f000\u00a0$US de «\u00a0Montant net\u00a0»",
            "15 points si Catégorie du produit\u00a0:\u00a0bikes (multiplié par 1,5)", "Au plus 40 fois", "Au plus 500 points au total",
            "Les points comptent pendant 12 mois", "Du 1er janvier 2026 au 31 décembre 2026",
            "Attribué automatiquement\u00a0: aucune demande n’est admise",
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"points": 1}, ["Sales: 1 point each time", "The points do not expire", "From 1 January 2026 on"]),
        ({"dataset": "members", "each": {"distinct": "job"}, "expires": "with_fact"},
         ["People: 300 points for each different “Job”", "The points count while it stands", "From 1 January 2026 on"]),
        ({"dataset": None, "each": {"day_of": "tenure"}, "points": "0.5", "expires": {"days": 30}, "at_most": {"occurrences": 365}},
         ["0.5 point for each day enrolled", "At most 365 days", "The points count for 30 days", "From 1 January 2026 on"]),
        ({"multipliers": [{"when": [{"field": "kind", "value": "new"}], "times": 2},
                          {"when": [{"field": "amount", "is": "at_least", "value": 5000}], "times": 3}]},
         ["Sales: 300 points each time", "600 points where Kind is New business (times 2)",
          "otherwise 900 points where Net amount is at least 5,000 (times 3)", "The points do not expire",
          "From 1 January 2026 on"]),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_row(
    program: Program, author: User, client: Client, over: dict[str, Any], says: list[str]
) -> None:
    assert said(client, program, row(**over))["en"] == says


def test_partners_read_the_same_sentence(program: Program, author: User, client: Client) -> None:
    assert keep(client, program, [REVENUE]).status_code == 200
    owner = enrolled(program)
    client.force_login(make_portal_user(owner.partner))
    page = client.get(reverse("portal:points")).content.decode()
    assert "Sales where Kind is New business: 10 points for each whole $1,000 of “Net amount”" in page
    assert "At most 500 points in all" in page


def test_a_row_that_is_not_whole_yet_has_no_sentence(program: Program, author: User, client: Client) -> None:
    for over in ({"points": ""}, {"starts_on": ""}, {"dataset": "nothing"}, {"each": {"distinct": "nothing"}}):
        answer = post(client, program, "words", [{**row(), **over}], shown="points[0]").json()
        assert answer["words"] == {}
        assert answer["problems"] != []


# --- Tried out ------------------------------------------------------------------------------------


def tried(client: Client, program: Program, one: dict[str, Any], owner: Enrollment, days: str = "own") -> Any:
    return post(client, program, "try", [one], row=0, enrollment=owner.pk, days=days)


def test_a_row_is_tried_on_a_partner(program: Program, author: User, client: Client) -> None:
    owner, other = enrolled(program, name="Cycles Dupont"), enrolled(program)
    make_sale(owner.partner, sold_on=date(2026, 1, 10), amount=D(4500), kind="new", external_id="A")
    make_sale(owner.partner, sold_on=date(2026, 1, 20), amount=D(2000), kind="new", external_id="B")
    make_sale(owner.partner, sold_on=date(2026, 1, 21), amount=D(9000), kind="renewal")
    make_sale(other.partner, sold_on=date(2026, 1, 21), amount=D(9000), kind="new")
    one = {**REVENUE, "at_most": {"points": 50}, "expires": {"days": 20}}
    answer = tried(client, program, one, owner).json()
    assert answer["figure"] == "50 points"
    assert answer["notes"] == [
        "2 facts from 1 January 2026 to 31 January 2026", "Of these still count today: 10 points"
    ]  # fmt: skip
    assert [(fact["day"], fact["points"], fact["why"]) for fact in answer["facts"]] == [
        ("10 January 2026", "40", "4 times 10: 40."),
        ("20 January 2026", "10", "2 times 10: 20. The row’s limit leaves 10 of them."),
    ]
    assert (answer["more"], PointEntry.objects.count()) == ("", 0)


def test_a_trial_is_what_the_night_then_posts(program: Program) -> None:
    table = [
        REVENUE, {**row("certified"), "dataset": "certificates", "each": {"distinct": "member"}, "points": 50},
        row("tenure", dataset=None, each={"day_of": "tenure"}, points=2, expires={"days": 10}),
    ]  # fmt: skip
    owner = enrolled(program)
    make_sale(owner.partner, sold_on=date(2026, 1, 10), amount=D(4500), kind="new")
    make_certificate(make_member(owner.partner), awarded_on=date(2026, 1, 5))
    foreseen = {one["code"]: trying.trial(enrollment=owner, row=one, day=NIGHT).points for one in table}
    assert set_rows(program, *table) == []
    run_night(program, NIGHT)
    posted = {rule.code: rule.entries.all().balance() for rule in program.point_rules.all()}
    assert foreseen == posted == {"revenue": D(40), "certified": D(50), "tenure": D(18)}


def test_a_row_that_granted_is_tried_as_if_nothing_were_posted(program: Program, author: User, client: Client) -> None:
    owner = granted(program)
    assert tried(client, program, row(), owner).json()["figure"] == "300 points"
    assert PointEntry.objects.count() == 1


def test_what_another_row_of_the_code_granted_of_a_stock_stays_its(program: Program) -> None:
    first = {**row("certified"), "dataset": "certificates", "each": "fact", "points": 50}
    assert set_rows(program, first) == []
    owner = enrolled(program)
    make_certificate(make_member(owner.partner), awarded_on=date(2026, 1, 5))
    run_night(program, NIGHT)
    later = {**first, "starts_on": "2026-02-01", "points": 80}
    make_certificate(make_member(owner.partner), awarded_on=date(2026, 2, 1))
    made = trying.trial(enrollment=owner, row=later, day=date(2026, 2, 2))
    assert (made.points, made.count) == (D(80), 1)


def test_a_row_to_come_is_tried_over_the_last_twelve_months(program: Program, author: User, client: Client) -> None:
    owner = enrolled(program)
    make_sale(owner.partner, sold_on=date(2025, 6, 1), amount=D(100))
    one = row(starts_on="2026-07-01")
    assert tried(client, program, one, owner).json() == {
        "figure": "0 points", "facts": [], "more": "",
        "notes": ["The row starts on 1 July 2026: nothing falls into its days yet."],
    }  # fmt: skip
    answer = tried(client, program, one, owner, "year").json()
    assert (answer["figure"], answer["notes"]) == ("300 points", ["1 fact from 1 February 2025 to 31 January 2026"])


def test_ten_facts_are_shown_of_many(program: Program, author: User, client: Client) -> None:
    owner = enrolled(program)
    for number in range(14):
        make_sale(owner.partner, sold_on=date(2026, 1, 1 + number), amount=D(100))
    answer = tried(client, program, row(), owner).json()
    assert (answer["figure"], len(answer["facts"]), answer["more"]) == ("4,200 points", 10, "and 4 more")


def test_what_cannot_be_tried_says_why(program: Program, author: User, client: Client) -> None:
    owner, elsewhere = enrolled(program), enrolled(pointed_program(slug="others"))
    refused = tried(client, program, {**row(), "points": ""}, owner)
    assert (refused.status_code, refused.json()["problem"]) == (
        409, "Something is missing here: fill it in or choose it."
    )  # fmt: skip
    assert tried(client, program, row(), elsewhere).status_code == 404
    assert post(client, program, "try", [row()], row=1, enrollment=owner.pk).status_code == 404


def test_partners_of_the_program_are_found_by_a_part_of_their_name(
    program: Program, author: User, client: Client
) -> None:
    owner = enrolled(program, name="Cycles Dupont")
    enrolled(pointed_program(slug="others"), name="Dupont elsewhere")
    found = client.get(address(program, "partners"), {"q": "dupo"}).json()
    assert found == {"partners": [{"id": owner.pk, "name": "Cycles Dupont"}]}


def test_every_text_of_the_scripts_is_translated() -> None:
    texts = {text for path in SCRIPTS for text in re.findall(r'\bt\(\s*"((?:[^"\\]|\\.)*)"', Path(path).read_text())}
    assert sorted(texts - set(SHARED_TEXTS)) == TEXTS
