"""The sample programs as files: they import, come back byte for byte, and say what a file has to say."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.programs.harness import SAMPLES
from tiers import program_file
from tiers.models import Edition

PUBLISHED = sorted(path for path in SAMPLES.glob("*.json") if path.stem != "resellers")
EVERY = [*PUBLISHED, SAMPLES / "resellers.json", SAMPLES.parent / "adventureworks" / "net-sales-only.json"]


def by_name(path: Path) -> str:
    return path.stem


def document_of(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_there_are_fourteen_published_programs() -> None:
    assert [path.stem for path in PUBLISHED] == [
        "atlassian-solution-2017",
        "aws-services-path",
        "brevo-agency",
        "cisco-channel",
        "dell-france-2019",
        "deriv",
        "google-partners",
        "hubspot-solutions-2018",
        "odoo",
        "prestashop-experts",
        "quickbooks-proadvisor",
        "salesforce-consulting-fy22",
        "sap-partneredge-2010",
        "wix-partners",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("path", EVERY, ids=by_name)
def test_a_program_comes_back_byte_for_byte_and_a_second_import_changes_nothing(path: Path) -> None:
    program = program_file.import_program(path)
    assert program_file.export_program(program).encode() == path.read_bytes()
    before = list(Edition.objects.order_by("pk").values())
    assert program_file.import_program(path) == program
    assert list(Edition.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("path", EVERY, ids=by_name)
def test_a_program_is_valid_by_the_schema_that_is_published(path: Path) -> None:
    assert list(program_file._validator().iter_errors(document_of(path))) == []


@pytest.mark.parametrize("path", PUBLISHED, ids=by_name)
def test_a_published_program_names_its_sources_and_what_is_missing_in_every_language(path: Path) -> None:
    document = document_of(path)
    assert document["slug"] == path.stem
    assert document["public"] is False
    assert all(source.startswith("http") for source in document["source"])
    assert all("notes" in edition for edition in document["editions"])
    languages = {code for code, _name in settings.LANGUAGES}
    assert {tuple(sorted(texts)) for texts in every_text(document)} == {tuple(sorted(languages))}


def every_text(value: Any) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("name", "promise", "description", "summary", "notes", "terms") and isinstance(inner, dict):
                yield inner
            else:
                yield from every_text(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_text(inner)


@pytest.mark.parametrize("path", PUBLISHED, ids=by_name)
def test_every_measure_of_a_published_program_is_asked_about(path: Path) -> None:
    """But for PrestaShop's rank in its directory, which no tier asks for."""
    unused = set()
    for edition in document_of(path)["editions"]:
        measures = edition.get("measures", [])
        asked = set(keys_in([edition["tiers"], edition.get("distinctions", [])]))
        asked |= {key for measure in measures for key in (*measure.get("ratio", ()), measure.get("rank"))}
        unused |= {measure["key"] for measure in measures} - asked
    assert unused == ({"directory-rank"} if path.stem == "prestashop-experts" else set())


def keys_in(value: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(value.get("measure"), str):
            yield value["measure"]
        for inner in value.values():
            yield from keys_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner)
