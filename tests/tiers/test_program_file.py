import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.models import Entry
from tiers import datasets, program_file
from tiers.models import Edition, Program, Rule, Tier

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FILES = [SAMPLES / "programs" / "resellers.json", SAMPLES / "adventureworks" / "net-sales-only.json"]


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
                "review": "monthly",
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
    before = (Edition.objects.get().pk, Rule.objects.count(), Entry.objects.count())
    assert program_file.import_program(path) == first
    assert (Edition.objects.get().pk, Rule.objects.count(), Entry.objects.count()) == before


@pytest.mark.django_db
def test_the_sample_has_three_levels_and_its_rules() -> None:
    program_file.import_program(FILES[0])
    assert list(Tier.objects.order_by("rank").values_list("code", flat=True)) == ["level-1", "level-2", "level-3"]
    level_3 = Rule.objects.filter(tier__code="level-3", purpose="earn", kind="requirement").order_by("id")
    assert list(level_3.values_list("measure__key", "threshold")) == [
        ("net-sales", Decimal(200000)),
        ("certified-share", Decimal("0.8")),
        ("business-plan", Decimal(1)),
        ("joint-campaign", Decimal(1)),
        ("case-study", Decimal(1)),
    ]
    assert Rule.objects.get(tier__code="level-3", kind="at_least").at_least == 2
    edition = Edition.objects.get()
    assert (edition.state, edition.starts_on, edition.review) == ("published", date(2010, 1, 1), "quarterly")


@pytest.mark.django_db
def test_a_draft_is_replaced_and_a_published_edition_stands() -> None:
    program_file.import_program(text(small()))
    changed = small()
    changed["editions"][0]["tiers"][1]["earn"]["value"] = 2000
    program_file.import_program(text(changed))
    assert Rule.objects.get(kind="requirement").threshold == 2000

    changed["editions"][0]["state"] = "published"
    program_file.import_program(text(changed))
    changed["editions"][0]["tiers"][1]["earn"]["value"] = 3000
    with pytest.raises(program_file.ProgramFileError, match="“2026” is published"):
        program_file.import_program(text(changed))
    assert Rule.objects.get(kind="requirement").threshold == 2000


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
    edition["tiers"][1]["earn"] = {"at_least": 3, "of": [{"measure": "nets", "is": "at_least", "value": 1}]}
    edition["tiers"][1]["benefits"] = [{"code": "seminar"}]
    edition["measures"][0]["field"] = "amounts"
    edition["measures"][2]["ratio"] = ["net-sales", "per-order"]
    document["name"]["de"] = "Klein"
    found = problems_of(document)
    assert [one.split(":")[0] for one in found] == [
        "name",
        "editions[0].measures[0]",
        "editions[0].measures[2].ratio",
        "editions[0].tiers[1].benefits[0]",
        "editions[0].tiers[1].earn",
        "editions[0].tiers[1].earn.of[0]",
    ]
    assert "“amounts”" in found[1]
    assert "quantity" in found[1]  # says what there is


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slug": "Not A Slug"}, "slug:"),
        ({"currency": "euro"}, "currency:"),
        ({"editions": []}, "editions:"),
        ({"colour": "red"}, "“colour”|'colour'"),
        ({"plans": [{"name": {"en": "P"}, "starts_on": "2026-02-30", "rates": {"one": "0.1"}}]}, "plans[0].starts_on"),
        ({"plans": [{"name": {"en": "P"}, "starts_on": "2026-01-01", "rates": {"one": "15"}}]}, "plans[0].rates.one"),
        ({"plans": [{"name": {"en": "P"}, "starts_on": "2026-01-01", "rates": {"six": "0.1"}}]}, "“six”"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change: dict[str, Any], said: str) -> None:
    found = problems_of(small(**change))
    assert any(word in one for one in found for word in said.split("|")), found


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
    document = small(plans=[{"name": {"en": "P"}, "starts_on": "2026-01-01", "rates": {"six": "0.1"}}])
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
    st.sampled_from(["net-sales", "orders", "per-order"]),
    st.sampled_from(["at_least", "more_than", "at_most", "less_than"]),
    st.one_of(
        st.integers(0, 10**9),
        st.decimals(0, 10**6, places=4)
        .filter(lambda number: number != number.to_integral_value())
        .map(lambda number: format(number.normalize(), "f")),
    ),
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
    page = (SAMPLES.parent / "docs" / "program-file.md").read_text()
    for dataset in datasets.every():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{dataset.key}`"))
        documented = set(re.findall(r"`([a-z_]+)`", row)) - {dataset.key}
        assert documented == set(dataset.fields), dataset.key
