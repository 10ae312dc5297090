import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.models import Entry
from tiers import datasets, program_file
from tiers.models import Edition, Program, Tier
from tiers.services import copy_edition

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FILES = [SAMPLES / "programs" / "resellers.json", SAMPLES / "adventureworks" / "net-sales-only.json"]


def plan_of(starts_on: str, rates: dict[str, str]) -> dict[str, Any]:
    """A share of each sale by tier."""
    rule = {"code": "share", "name": {"en": "Share"}, "event": "sale", "pays": "share", "rate": rates}
    return {"name": {"en": "P"}, "starts_on": starts_on, "rules": [rule]}


def small(**over: Any) -> dict[str, Any]:
    """A program of two tiers whose second asks for sales."""
    return {
        "slug": "small",
        "name": {"en": "Small", "fr": "Petit"},
        "currency": "EUR",
        "public": True,
        "benefits": [{"code": "training", "name": {"en": "Training"}}],
        "editions": [
            {
                "name": "2026",
                "starts_on": "2026-01-01",
                "state": "draft",
                "life": {"demotion": {"every": "month"}},
                "measures": [
                    {
                        "key": "net-sales",
                        "name": {"en": "Net sales"},
                        "aggregate": "sum",
                        "dataset": "sales",
                        "field": "amount",
                        "window": {"last": 12, "unit": "months"},
                    },
                    {
                        "key": "orders",
                        "name": {"en": "Orders"},
                        "aggregate": "count",
                        "dataset": "sales",
                        "window": {"kind": "lifetime"},
                    },
                    {"key": "per-order", "name": {"en": "Sales per order"}, "ratio": ["net-sales", "orders"]},
                ],
                "tiers": [
                    {"code": "one", "name": {"en": "One"}, "color": "#111111"},
                    {
                        "code": "two",
                        "name": {"en": "Two"},
                        "color": "#222222",
                        "benefits": [{"code": "training"}],
                        "earn": {"measure": "net-sales", "is": "at_least", "value": 1000},
                    },
                ],
            }
        ],
        **over,
    }


def text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def problems_of(document: dict[str, Any]) -> list[str]:
    with pytest.raises(program_file.ProgramFileError) as refusal:
        program_file.read(text(document))
    return refusal.value.problems


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_program_comes_back_byte_for_byte(path: Path) -> None:
    program = program_file.import_program(path)
    assert program_file.export_program(program).encode() == path.read_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_second_import_changes_nothing(path: Path) -> None:
    first = program_file.import_program(path)
    before = (Edition.objects.get().pk, Tier.objects.count(), Entry.objects.count())
    assert program_file.import_program(path) == first
    assert (Edition.objects.get().pk, Tier.objects.count(), Entry.objects.count()) == before


@pytest.mark.django_db
def test_the_sample_has_three_levels_and_its_rules() -> None:
    program_file.import_program(FILES[0])
    assert list(Tier.objects.order_by("rank").values_list("code", flat=True)) == ["level-1", "level-2", "level-3"]
    assert Tier.objects.get(code="level-3").earn == {
        "all": [
            {"measure": "net-sales", "is": "at_least", "value": 200000},
            {"measure": "certified-share", "is": "at_least", "value": "0.8"},
            {
                "at_least": 2,
                "of": [
                    {"measure": "business-plan", "is": "at_least", "value": 1},
                    {"measure": "joint-campaign", "is": "at_least", "value": 1},
                    {"measure": "case-study", "is": "at_least", "value": 1},
                ],
            },
        ]
    }
    edition = Edition.objects.get()
    assert (edition.state, edition.starts_on) == ("published", date(2010, 1, 1))
    assert edition.life == {"promotion": {"every": "day"}, "demotion": {"every": "quarter"}}


@pytest.mark.django_db
def test_a_draft_is_replaced_and_a_published_edition_stands() -> None:
    program_file.import_program(text(small()))
    changed = small()
    changed["editions"][0]["tiers"][1]["earn"]["value"] = 2000
    program_file.import_program(text(changed))
    assert Tier.objects.get(code="two").earn["value"] == 2000

    changed["editions"][0]["state"] = "published"
    program_file.import_program(text(changed))
    changed["editions"][0]["tiers"][1]["earn"]["value"] = 3000
    with pytest.raises(program_file.ProgramFileError, match="“2026” is published"):
        program_file.import_program(text(changed))
    assert Tier.objects.get(code="two").earn["value"] == 2000


@pytest.mark.django_db
def test_a_new_edition_joins_the_published_one() -> None:
    document = small()
    document["editions"][0]["state"] = "published"
    program_file.import_program(text(document))
    following = {**document["editions"][0], "name": "2027", "starts_on": "2027-01-01"}
    program = program_file.import_program(text({**document, "editions": [*document["editions"], following]}))
    assert list(program.editions.order_by("starts_on").values_list("name", "state")) == [
        ("2026", "published"),
        ("2027", "published"),
    ]


@pytest.mark.django_db
def test_the_currency_of_a_program_stays() -> None:
    program_file.import_program(text(small()))
    with pytest.raises(program_file.ProgramFileError, match="kept in EUR"):
        program_file.import_program(text(small(currency="USD")))


def test_every_problem_is_told_at_once_with_its_place() -> None:
    document = small()
    edition = document["editions"][0]
    edition["tiers"][1]["benefits"] = [{"code": "seminar"}]
    edition["measures"][0]["field"] = "amounts"
    edition["measures"][1]["dataset"] = "purchases"
    document["name"]["de"] = "Klein"
    found = problems_of(document)
    assert [one.split(":")[0] for one in found] == [
        "name",
        "editions[0].tiers[1].benefits[0]",
        "editions[0].measures[0]",
        "editions[0].measures[1]",
    ]
    assert "“amounts”" in found[2]
    assert "quantity" in found[2]  # says what there is


SALES = {"measure": "net-sales", "is": "at_least", "value": 1000}


@pytest.mark.parametrize(
    ("earn", "where", "said"),
    [
        ({**SALES, "measure": "nets"}, "earn", "no measure “nets”"),
        ({"at_least": 3, "of": [SALES, SALES]}, "earn", "at least 3 are asked of 2"),
        ({"all": [{"all": [{"meets": "gold"}]}]}, "earn.all[0].all[0]", "no tier or distinction “gold”"),
        ({"any": [{"meets": "two"}, SALES]}, "These ask about each other in a circle", "two → two"),
        ({**SALES, "measure": "per-order", "value": 80}, "earn.value", "0.8 for 80%"),
        ({**SALES, "measure": "orders", "value": "2.5"}, "earn.value", "a count is a whole number"),
        ({**SALES, "measure": "orders", "is": "less_than", "value": 0}, "earn", "no figure can ever meet this"),
        ({"all": [SALES, {**SALES, "is": "less_than"}]}, "earn.all[1]", "no figure can ever meet this"),
        ({"partner": "country_group", "value": "growth"}, "earn", "knows no “growth”"),
        ({"partner": "country", "is": "more_than", "value": "FR"}, "earn", "cannot be compared"),
        (
            {"for_each": {"measure": "net-sales", "is": "at_least", "value": 1}, "rule": SALES},
            "earn.for_each",
            "not split",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(earn: dict[str, Any], where: str, said: str) -> None:
    document = small()
    document["editions"][0]["tiers"][1]["earn"] = earn
    if earn.get("measure") == "per-order":
        document["editions"][0]["measures"][2]["ratio"] = ["orders", "orders"]
    (found,) = problems_of(document)
    assert found.split(":")[0] in (where, f"editions[0].tiers[1].{where}")
    assert said in found


def test_a_file_of_a_newer_format_is_refused() -> None:
    (found,) = problems_of({"format": 2, "rules": "unheard of"})
    assert "this file is of format 2; this version reads format 1" in found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slug": "Not A Slug"}, "slug:"),
        ({"currency": "euro"}, "currency:"),
        ({"editions": []}, "editions:"),
        ({"colour": "red"}, "“colour”|'colour'"),
        ({"plans": [plan_of("2026-02-30", {"one": "0.1"})]}, "plans[0].starts_on"),
        ({"plans": [plan_of("2026-01-01", {"one": "15"})]}, "plans[0].rules[0].rate.one"),
        ({"plans": [plan_of("2026-01-01", {"six": "0.1"})]}, "“six”"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change: dict[str, Any], said: str) -> None:
    found = problems_of(small(**change))
    assert any(word in one for one in found for word in said.split("|")), found


OWN_REVIEWS: list[tuple[int, dict[str, Any], str, str]] = [
    (0, {"demotion": {"every": "year"}}, "editions[0].tiers[0]", "the entry tier"),
    (1, {"demotion": {"every": "quarter", "warn_days": [90]}}, "editions[0].tiers[1].demotion.warn_days", "90 days"),
    (1, {"demotion": {"every": "day", "warn_days": [1]}}, "editions[0].tiers[1].demotion", "none of the forms"),
    (1, {"promotion": {"every": "year", "warn_days": [1]}}, "editions[0].tiers[1].promotion", "none of the forms"),
    (1, {"granted_only": True, "promotion": {"every": "year"}}, "editions[0].tiers[1].promotion", "by invitation"),
]


@pytest.mark.parametrize(("place", "said", "where", "why"), OWN_REVIEWS)
def test_reviews_that_cannot_be_meant_are_refused(place: int, said: dict[str, Any], where: str, why: str) -> None:
    document = small()
    tier = document["editions"][0]["tiers"][place]
    tier.update(said)
    if "granted_only" in said:
        del tier["earn"]
    (found,) = problems_of(document)
    assert found.split(":")[0] == where
    assert why in found


def test_reminders_of_the_edition_are_looked_at_too() -> None:
    document = small()
    document["editions"][0]["life"] = {"demotion": {"every": "month", "warn_days": [14, 28]}}
    (found,) = problems_of(document)
    assert found.startswith("editions[0].life.demotion.warn_days: 28 days")


@pytest.mark.django_db
def test_reviews_of_a_tier_reminders_and_what_is_to_be_kept_come_back_as_they_were() -> None:
    document = small()
    edition = document["editions"][0]
    edition["life"] = {
        "demotion": {"every": "anniversary", "warn_days": [90, 60, 30]},
        "deadlines": [{"tier": "two", "months": 24, "then": "warn", "keep": True}],
    }
    own = {"promotion": {"every": "year"}, "demotion": {"every": "half_year", "starts_month": 2, "warn_days": [30]}}
    edition["tiers"][1] = {"code": "two", **own, **edition["tiers"][1]}
    program = program_file.import_program(text(document))
    assert Tier.objects.get(code="two").life == own
    exported = json.loads(program_file.export_program(program))["editions"][0]
    assert (exported["life"], exported["tiers"][1]) == (edition["life"], edition["tiers"][1])
    copied = copy_edition(edition=program.editions.get(), name="Copy", starts_on=date(2030, 1, 1))
    assert copied.tiers.get(code="two").life == own


def test_an_entry_tier_with_a_rule_and_a_tier_without_one_are_refused() -> None:
    document = small()
    tiers = document["editions"][0]["tiers"]
    tiers[0]["earn"] = tiers[1].pop("earn")
    assert [one.split(":")[0] for one in problems_of(document)] == [
        "editions[0].tiers[0].earn",
        "editions[0].tiers[1]",
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"{", b"[1]"])
def test_what_is_no_program_file_is_refused(content: bytes) -> None:
    with pytest.raises(program_file.ProgramFileError):
        program_file.read(content)


@pytest.mark.django_db
def test_nothing_is_written_when_a_later_part_is_refused() -> None:
    document = small(plans=[plan_of("2026-01-01", {"six": "0.1"})])
    with pytest.raises(program_file.ProgramFileError):
        program_file.import_program(text(document))
    assert not Program.objects.exists()


@pytest.mark.django_db
def test_the_commands_read_and_write_files(tmp_path: Path) -> None:
    call_command("import_program", FILES[0])
    call_command("export_program", "resellers", "--output", tmp_path / "out.json")
    assert (tmp_path / "out.json").read_bytes() == FILES[0].read_bytes()
    with pytest.raises(CommandError, match="Programs: resellers"):
        call_command("export_program", "nobody")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(CommandError, match="was not imported"):
        call_command("import_program", tmp_path / "bad.json")


LEAF = st.builds(
    lambda key, comparison, value: {"measure": key, "is": comparison, "value": value},
    st.sampled_from(["net-sales", "orders"]),
    st.sampled_from(["at_least", "more_than"]),
    st.integers(0, 10**9),
)
TREE = st.recursive(
    LEAF,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
        st.lists(below, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
        st.lists(below, min_size=2, max_size=4).map(lambda rules: {"at_least": 2, "of": rules}),
    ),
    max_leaves=8,
)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(earn=TREE, keep=TREE)
def test_any_rule_tree_comes_back_as_it_went_in(earn: dict[str, Any], keep: dict[str, Any]) -> None:
    document = small()
    document["editions"][0]["tiers"][1] |= {"earn": earn, "keep": keep}
    program = program_file.import_program(text(document))
    assert program_file.export_program(program) == text(document)


def test_the_documentation_names_every_dataset_and_field() -> None:
    page = (SAMPLES.parent / "docs" / "program-file.md").read_text().partition("## Datasets")[2]
    for dataset in datasets.every():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{dataset.key}`"))
        documented = set(re.findall(r"`([a-z_]+)`", row.split("|")[3]))
        assert documented == set(dataset.fields), dataset.key
