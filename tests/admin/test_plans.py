"""Plans in the admin: written in an editor, tried, published; what is published stands still. Adjustments and reports."""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from commissions import plan_drafting, services
from commissions.admin.plan_texts import TEXTS
from commissions.errors import PlanError
from commissions.models import AccountCodes, Adjustment, Earning, Plan, PlanTrial, Unpaid
from commissions.plan_presets import PRESETS
from journal.models import Entry
from partners.models import Partner
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff, make_user
from tiers.admin.editor_texts import TEXTS as SHARED_TEXTS
from tiers.drafting import fingerprint
from tiers.models import Program

TODAY = date(2025, 6, 15)
ASKED = {"_ask": "1"}
SCRIPTS = [settings.BASE_DIR / "static/js/plan-editor.js", *(settings.BASE_DIR / "static/js/plan").glob("*.js")]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2025-06-15T12:00:00Z", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return paying_program()


@pytest.fixture
def person() -> User:
    return make_staff()


@pytest.fixture
def staff(person: User, client: Client) -> Client:
    client.force_login(person)
    return client


RULE = {"code": "share", "name": {"en": "Share", "fr": "Part"}, "event": "sale", "pays": "share", "rate": {"level-1": "0.07", "others": "0.09"}}  # fmt: skip


def draft(program: Program, *rules: dict[str, Any], **over: Any) -> Plan:
    fields = {"name": {"en": "Draft", "fr": "Brouillon"}, "starts_on": date(2025, 7, 1), **over}
    return services.draft_plan(program=program, definition={"rules": list(rules or [RULE])}, **fields)


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:commissions_{name}", args=args)


def post(client: Client, plan: Plan, name: str, body: Any) -> Any:
    return client.post(address(f"plan_editor_{name}", plan.pk), json.dumps(body), content_type="application/json")


# --- The editor -----------------------------------------------------------------------------------


def test_the_page_holds_the_draft_for_browsers_with_and_without_scripts(staff: Client, program: Program) -> None:
    plan = draft(program)
    page = staff.get(address("plan_editor", plan.pk))
    assert {part: json.loads(text) for part, _label, text in page.context["parts"]} == {
        "plan": {"name": {"en": "Draft", "fr": "Brouillon"}, "starts_on": "2025-07-01"}, "rules": [RULE],
    }  # fmt: skip
    known = page.context["catalogue"]
    assert known["tiers"] == [["level-1", "Level 1"], ["level-2", "Level 2"], ["level-3", "Level 3"]]
    sale = next(one for one in known["events"] if one["key"] == "sale")
    assert (sale["bases"], sale["customers"]) == (["net", "margin", "recurring"], True)


def test_a_form_without_scripts_keeps_what_was_typed(staff: Client, program: Program) -> None:
    plan = draft(program)
    seen = fingerprint(plan_drafting.read(plan))
    head = json.dumps({"name": {"en": "Other"}, "starts_on": "2025-08-01"})
    page = staff.post(address("plan_editor", plan.pk), {"plan": head, "rules": "[{", "seen": seen})
    assert page.context["parts"][1][2] == "[{"
    assert "is not JSON" in page.context["problems"][0].says
    assert staff.post(address("plan_editor", plan.pk), {"plan": head, "rules": "[]", "seen": seen}).status_code == 302
    plan.refresh_from_db()
    assert (plan.name["en"], plan.starts_on, plan.definition) == ("Other", date(2025, 8, 1), {"rules": []})


def test_each_rule_in_both_languages_and_each_problem_at_its_place(staff: Client, program: Program) -> None:
    plan = draft(program)
    document = plan_drafting.read(plan)
    document["rules"] = [
        RULE,
        {**RULE, "code": "capped", "rate": "1.5", "at_most": {"line": "50"}, "tiers": ["nowhere"]},
        {**RULE, "code": "asks", "when": [{"field": "colour", "value": "red"}]},
        {"code": "half", "name": {}, "event": "sale", "pays": "share"},
    ]
    answer = post(staff, plan, "words", {"document": document, "shown": "rules[0]"}).json()
    assert answer["words"]["rules[0]"]["en"]["says"] == "Level 1 7%, others 9% of the net amount."
    assert answer["words"]["rules[0]"]["fr"]["says"].endswith("du montant net.")
    assert "rules[3]" not in answer["words"]
    assert {one["path"].split(".")[0] for one in answer["problems"]} == {"rules[3]"}
    document["rules"].pop()
    found = {one["path"]: one["says"] for one in post(staff, plan, "words", {"document": document}).json()["problems"]}
    assert sorted(found) == ["rules[1]", "rules[1].rate", "rules[1].tiers", "rules[2].when[0]"]
    assert "1.5 is no share" in found["rules[1].rate"]
    assert "no tier “nowhere”" in found["rules[1].tiers"]


def test_what_is_saved_reads_the_same_and_is_journaled_once(staff: Client, person: User, program: Program) -> None:
    plan = draft(program)
    document = plan_drafting.read(plan)
    document["rules"].append({**RULE, "code": "second", "adds": True})
    document["plan"] |= {"hold_days": 30, "currency": "USD", "ends_on": "2026-01-01"}
    for _time in range(2):
        answer = post(staff, plan, "save", {"document": document, "seen": fingerprint(plan_drafting.read(plan))})
        assert (answer.status_code, answer.json()["says"], answer.json()["problems"]) == (200, "Saved", [])
        plan.refresh_from_db()
    assert plan_drafting.read(plan) == document
    assert answer.json()["seen"] == fingerprint(document)
    assert Entry.objects.filter(verb="commissions.plan.changed", actor=person).count() == 1


def test_a_stale_page_overwrites_nothing(staff: Client, program: Program) -> None:
    plan = draft(program)
    mine = plan_drafting.read(plan)
    seen = fingerprint(mine)
    services.change_draft(plan=plan, name={"en": "Theirs"}, starts_on=plan.starts_on, definition=plan.definition)
    answer = post(staff, plan, "save", {"document": mine, "seen": seen})
    assert (answer.status_code, "Somebody changed this draft" in answer.json()["says"]) == (409, True)
    plan.refresh_from_db()
    assert plan.name == {"en": "Theirs"}


@pytest.mark.parametrize(
    "body", ["[]", '"x"', '{"document": {}}', '{"document": {"plan": {"name": {}}, "rules": [1]}}', "{"]
)
def test_what_is_no_document_is_refused(staff: Client, program: Program, body: str) -> None:
    plan = draft(program)
    for name, status in (("save", 409), ("words", 400)):
        answer = staff.post(address(f"plan_editor_{name}", plan.pk), body, content_type="application/json")
        assert answer.status_code == status
    plan.refresh_from_db()
    assert plan.definition == {"rules": [RULE]}


def test_a_published_plan_changes_by_no_door(staff: Client, program: Program) -> None:
    plan = Plan.objects.get(program=program)
    before = plan_drafting.read(plan)
    assert staff.get(address("plan_editor", plan.pk)).status_code == 302
    assert staff.post(address("plan_editor", plan.pk), {"plan": "{}"}).status_code == 403
    for name in ("save", "words"):
        assert post(staff, plan, name, {"document": before}).status_code == 403
    for name in ("publish", "delete_draft"):
        assert staff.post(address(f"plan_{name}", plan.pk), ASKED).status_code == 403
    assert staff.post(address("plan_change", plan.pk), {"name_0": "x"}).status_code == 403
    with pytest.raises(PlanError):
        plan_drafting.save(plan=plan, document={**before, "rules": []}, seen=fingerprint(before))
    assert plan_drafting.read(Plan.objects.get(pk=plan.pk)) == before


def test_only_staff_who_may_write_plans(program: Program, client: Client) -> None:
    plan = draft(program)
    client.force_login(make_user(is_staff=True))
    for name in ("plan_editor", "plan_calculator", "plan_publish", "plan_copy"):
        assert client.get(address(name, plan.pk)).status_code == 403
    client.force_login(make_user())
    for name in ("plan_editor", "plan_calculator"):
        assert client.get(address(name, plan.pk)).status_code == 302


def test_pages_cost_the_same_however_many_rules(staff: Client, program: Program) -> None:
    def queries(plan: Plan) -> list[int]:
        asked = []
        for ask in (
            lambda: staff.get(address("plan_editor", plan.pk)),
            lambda: staff.get(address("plan_change", plan.pk)),
            lambda: post(staff, plan, "words", {"document": plan_drafting.read(plan)}),
        ):
            with CaptureQueriesContext(connection) as queries:
                ask()
            asked.append(len(queries))
        return asked

    few = draft(program)
    queries(few)
    many = draft(program, *({**RULE, "code": f"share-{number}"} for number in range(20)))
    assert queries(many) == (counted := queries(few))
    assert max(counted) <= 30, counted  # the queues of the sidebar are among them


def test_every_text_of_the_script_is_translated() -> None:
    said = {
        text
        for path in SCRIPTS
        for text in re.findall(r'\bt\(\s*"((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8"))
    }
    assert sorted(said - set(SHARED_TEXTS)) == TEXTS


# --- From nothing to published --------------------------------------------------------------------


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_a_draft_that_can_be_published(staff: Client, program: Program, preset: str) -> None:
    sent = {"program": program.pk, "begin": preset, "name_en": "Begun", "starts_on": "2025-07-01", **ASKED}
    answer = staff.post(address("plan_new_plan"), sent)
    plan = Plan.objects.get(state="draft")
    assert answer["Location"] == address("plan_editor", plan.pk)
    if preset == "empty":
        assert "rules" in {one.path for one in plan_drafting.problems(plan, plan_drafting.read(plan))}
        return
    assert plan_drafting.problems(plan, plan_drafting.read(plan)) == []
    assert staff.post(address("plan_publish", plan.pk), ASKED).status_code == 302
    plan.refresh_from_db()
    assert plan.state == "published"


def test_a_copy_has_the_rules_of_the_plan(staff: Client, program: Program) -> None:
    published = Plan.objects.get(program=program)
    page = staff.get(address("plan_copy", published.pk))
    assert page.context["form"].initial["begin"] == str(published.pk)
    sent = {"program": program.pk, "begin": published.pk, "name_en": "Copy", "starts_on": "2025-01-01", **ASKED}
    staff.post(address("plan_copy", published.pk), sent)
    copied = Plan.objects.get(state="draft")
    assert (copied.definition, copied.version) == (published.definition, 2)


def test_publishing_says_what_it_replaces(staff: Client, program: Program) -> None:
    later, same = draft(program), draft(program, starts_on=date(2025, 1, 1))
    says = staff.get(address("plan_publish", later.pk)).context["says"]
    assert "pays the facts up to 30 June 2025, this plan those from 1 July 2025 on." in says
    assert "takes the place of “Plan v1”" in staff.get(address("plan_publish", same.pk)).context["says"]
    assert Plan.objects.filter(state="draft").count() == 2


def test_a_wrong_draft_is_not_published_and_says_why(staff: Client, program: Program) -> None:
    plan = draft(program, {**RULE, "tiers": ["nowhere"]})
    page = staff.post(address("plan_publish", plan.pk), ASKED, follow=True)
    assert "no tier “nowhere”" in page.content.decode()
    plan.refresh_from_db()
    assert plan.state == "draft"


def test_the_difference_to_the_plan_in_force_in_words(staff: Client, program: Program) -> None:
    plan = draft(program)
    page = staff.get(address("plan_change", plan.pk))
    assert [(line.sign, line.says) for line in page.context["difference"]] == [
        ("", "It pays in the currency of each fact."),
        ("-", "Share of sales: Level 1 5%, Level 2 10%, Level 3 15% of the net amount."),
        ("+", "Share: Level 1 7%, others 9% of the net amount."),
    ]


def test_a_draft_is_deleted_and_the_journal_keeps_it(staff: Client, program: Program) -> None:
    plan = draft(program)
    assert staff.post(address("plan_delete_draft", plan.pk), ASKED).status_code == 302
    assert not Plan.objects.filter(pk=plan.pk).exists()
    assert Entry.objects.get(verb="commissions.plan.deleted").before["definition"] == {"rules": [RULE]}


# --- Tried ----------------------------------------------------------------------------------------


def test_a_sale_is_tried_and_every_rule_is_shown(staff: Client, program: Program) -> None:
    partner = holding(program)
    big = {**RULE, "code": "big", "when": [{"field": "amount", "is": "at_least", "value": 5000}], "rate": "0.5"}
    plan = draft(program, big, RULE, starts_on=date(2025, 1, 1))
    sent = {
        "partner": partner.pk,
        "sold_on": "2025-06-15",
        "amount": "1000",
        "currency": "USD",
        "quantity": "1",
        "kind": "new",
    }
    page = staff.post(address("plan_calculator", plan.pk), sent)
    result = page.context["result"]
    assert result.totals == ("$70.00",)
    assert [(one.rule, one.base, one.rate, one.tier, one.amount) for one in result.paid] == [
        ("Share", "$1,000.00", "7%", "Level 1", "$70.00")
    ]
    (label, rules), = result.tried  # fmt: skip
    assert (label, [(one.outcome, one.conditions) for one in rules]) == (
        "Sale", [("condition", (("Net amount is at least 5,000", False),)), ("pays", ())],
    )  # fmt: skip
    assert page.context["form"].data["amount"] == "1000"
    assert not Earning.objects.exists()
    staff.post(address("plan_calculator", plan.pk), {**sent, "amount": ""}).context["form"].errors["amount"]


def test_the_facts_of_a_partner_can_be_tried(staff: Client, program: Program) -> None:
    partner = holding(program)
    sale = sell(partner, "40.00", date(2025, 3, 1))
    plan = draft(program, {**RULE, "event": "first_sale", "pays": "fixed", "rate": "25"}, starts_on=date(2025, 1, 1))
    plan = services.change_draft(
        plan=plan, name=plan.name, starts_on=plan.starts_on, definition={"currency": "USD", **plan.definition}
    )
    where = address("plan_calculator", plan.pk) + "?event=first_sale"
    page = staff.post(where, {"partner": partner.pk})
    assert [(one.key, one.on) for one in page.context["facts"]] == [(sale.pk, date(2025, 3, 1))]
    page = staff.post(where, {"partner": partner.pk, "fact": sale.pk})
    assert page.context["result"].totals == ("$25.00",)


def test_a_plan_is_tried_out_over_the_history(
    staff: Client, program: Program, django_capture_on_commit_callbacks: Any
) -> None:
    sell(holding(program, name="Cycles Dupont"), "1000.00", date(2025, 3, 1))
    run_night(program, TODAY)
    plan = draft(program)
    page = staff.get(address("plantrial_try_plan"), {"plan": plan.pk})
    assert page.context["form"].initial["starts_on"] == date(2024, 6, 15)
    with django_capture_on_commit_callbacks(execute=True):
        sent = {"plan": plan.pk, "starts_on": "2025-01-01", "day": "2025-06-15", **ASKED}
        staff.post(address("plantrial_try_plan"), sent)
    trial = PlanTrial.objects.get()
    page = staff.get(address("plantrial_change", trial.pk))
    assert (trial.state, page.context["found"].totals[0].difference) == ("done", Decimal("20.00"))
    assert staff.get(address("plantrial_progress", trial.pk)).json()["running"] is False
    rows = b"".join(staff.get(address("plantrial_download", trial.pk)).streaming_content).decode("utf-8-sig")
    assert rows.splitlines()[1].endswith("Cycles Dupont,USD,70.00,50.00,20.00")


# --- Adjustments, facts without pay, reports ------------------------------------------------------


def test_an_adjustment_is_proposed_by_one_and_approved_by_another(
    staff: Client, person: User, program: Program
) -> None:
    partner = holding(program)
    sell(partner, "100.00", date(2025, 3, 1))
    run_night(program, TODAY)
    line = Earning.objects.get()
    page = staff.get(address("earning_propose_adjustment", line.pk), follow=True)
    assert (page.context["form"].initial["partner"], page.context["form"].initial["currency"]) == (partner.pk, "USD")
    sent = {
        "partner": partner.pk, "program": program.pk, "category": "goodwill", "amount": "12.34", "currency": "USD",
        "earned_on": "2025-06-15", "reason": "A late delivery", **ASKED,
    }  # fmt: skip
    staff.post(f"{address('adjustment_propose')}?about={line.pk}", sent)
    adjustment = Adjustment.objects.get()
    assert (adjustment.about, adjustment.author) == (line, person)
    assert staff.post(address("adjustment_approve", adjustment.pk), ASKED).status_code == 403
    other = Client()
    other.force_login(make_staff())
    assert "Adjustments to approve" in other.get(reverse("admin:index")).content.decode()
    assert other.post(address("adjustment_approve", adjustment.pk), ASKED).status_code == 302
    assert Earning.objects.get(event="manual").amount == Decimal("12.34")
    assert staff.get(address("adjustment_change", adjustment.pk)).status_code == 200
    posted = services.line_of(adjustment)
    assert "A late delivery" in staff.get(address("earning_change", posted.pk)).content.decode()
    assert staff.get(reverse("admin:partners_partner_change", args=[partner.pk])).status_code == 200
    other.force_login(make_portal_user(partner))
    assert "A late delivery" in other.get(reverse("portal:earning", args=[posted.pk])).content.decode()


def test_a_refused_form_comes_back_filled(staff: Client, program: Program) -> None:
    partner = holding(program)
    sent = {
        "partner": partner.pk, "program": program.pk, "category": "bonus", "amount": "0.001", "currency": "USD",
        "earned_on": "2025-06-15", "reason": "Why not", **ASKED,
    }  # fmt: skip
    page = staff.post(address("adjustment_propose"), sent)
    assert "other than nothing" in page.content.decode()
    assert (page.context["form"]["reason"].value(), page.context["form"]["partner"].value()) == (
        "Why not",
        str(partner.pk),
    )


def test_facts_that_earned_nothing_say_why_and_what_was_tried(staff: Client, program: Program) -> None:
    partner = holding(program)
    services.publish_plan(
        program=program, name={"en": "Narrow"}, starts_on=date(2025, 1, 1),
        definition={"rules": [{**RULE, "when": [{"field": "quantity", "is": "at_least", "value": 10}]}]},
    )  # fmt: skip
    sell(partner, "100.00", date(2025, 3, 1), external_id="S-77")
    run_night(program, TODAY)
    listed = staff.get(
        address("unpaid_changelist"), {"reason": "no_rule", "event": "sale", "terms_on_month": "2025-03"}
    )
    assert "S-77" in listed.content.decode()
    assert staff.get(address("unpaid_changelist"), {"reason": "no_tier"}).context["cl"].result_count == 0
    page = staff.get(address("unpaid_change", Unpaid.objects.get().pk))
    assert [(one.outcome, one.conditions) for one in page.context["tried"]] == [
        ("condition", (("Quantity is at least 10", False),))
    ]


def test_what_is_owed_on_a_page_and_as_a_file(staff: Client, program: Program) -> None:
    sell(holding(program), "1000.00", date(2025, 3, 1))
    run_night(program, TODAY)
    page = staff.get(address("earning_liability"))
    assert [(one.currency, one.total) for one in page.context["owed"]] == [("USD", Decimal(50))]
    rows = staff.get(address("earning_liability_csv")).content.decode("utf-8-sig").splitlines()
    assert rows[1] == "USD,On drafts,0.00,0.00,50.00,0.00,50.00"


def test_the_journal_is_asked_for_by_month(staff: Client, program: Program) -> None:
    page = staff.post(address("earning_bookkeeping"), {"month": "2025-05-01", **ASKED})
    assert "No accounts are set" in page.content.decode()
    AccountCodes.objects.create(program=None, expense="622200", liability="408000")
    answer = staff.post(address("earning_bookkeeping"), {"month": "2025-05-01", **ASKED})
    assert answer["Location"] == address("earning_journal") + "?month=2025-05-01"
    assert b"".join(staff.get(answer["Location"]).streaming_content).startswith(b"entry,posted_on,account")
    assert staff.get(address("earning_journal"), {"month": "2025-06-01"}).status_code == 400


def test_partners_are_found_by_name(staff: Client, program: Program, client: Client) -> None:
    Partner.objects.filter(pk=holding(program).pk).update(name="Cycles Dupont")
    found = staff.get(address("plan_partners"), {"term": "dup"}).json()["results"]
    assert [one["text"] for one in found] == ["Cycles Dupont"]
    client.force_login(make_user(is_staff=True))
    assert client.get(address("plan_partners"), {"term": "dup"}).status_code == 403
