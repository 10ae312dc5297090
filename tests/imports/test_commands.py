"""The import commands."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from journal.models import Entry
from leads.models import Product, Sale
from partners.models import Member, Partner
from records.models import PlanTarget, Record, Score
from tiers.models import Award
from training.models import Certificate

pytestmark = pytest.mark.django_db

FILES = {
    "partners": ("external_id,name,joined_on,city,country", "7,Vélos Zoé,2026-01-01,Oxon,GB", Partner),
    "products": ("external_id,name_en", "b,Bike", Product),
    "sales": ("external_id,partner,sold_on,amount,currency", "A1,7,2026-01-05,100,eur", Sale),
    "members": ("external_id,partner,name,job,joined_on", "m,7,Zoé,sales,2026-01-01", Member),
    "traits": ("external_id,trait:segment", "7,public", Partner),
    "records": ("external_id,partner,kind,occurred_on,attr:product", "r,7,audit,2026-01-01,crm", Record),
    "scores": ("partner,kind,value,scored_on", "7,csat,4.5,2026-01-01", Score),
    "awards": ("external_id,partner,code,starts_on", "a,7,cloud,2026-01-01", Award),
    "plan_targets": ("partner,key,starts_on,ends_on,quantity", "7,people,2026-01-01,2027-01-01,3", PlanTarget),
    "certificates": ("external_id,member,certification,awarded_on", "c,m,expert,2026-01-01", Certificate),
}


def run(kind: str, folder: Path, row: str | None = None) -> str:
    header, good, _model = FILES[kind]
    (folder / "file.csv").write_text(f"{header}\n{good if row is None else row}\n", encoding="utf-8")
    mapping = {"fields": {name: {"column": name} for name in header.split(",")}}
    (folder / "mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    out = StringIO()
    call_command(f"import_{kind}", str(folder / "file.csv"), "--mapping", str(folder / "mapping.json"), stdout=out)
    return out.getvalue()


def test_each_kind_has_its_command_and_a_second_import_changes_nothing(tmp_path: Path) -> None:
    for kind, (_header, _row, model) in FILES.items():
        done = ": 0 added, 1 changed, 0 unchanged." if kind == "traits" else ": 1 added, 0 changed, 0 unchanged."
        assert done in run(kind, tmp_path)
        assert model._default_manager.count() == 1
    entries = Entry.objects.count()
    for kind in FILES:
        assert ": 0 added, 0 changed, 1 unchanged." in run(kind, tmp_path)
    assert Entry.objects.count() == entries


def test_who_is_not_placed_is_listed(tmp_path: Path) -> None:
    assert run("partners", tmp_path).splitlines()[0] == "Vélos Zoé is not placed: Oxon, GB."


def test_bad_rows_fail_the_command_and_are_listed(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        run("sales", tmp_path, "A1,9,never,100,eur")
    assert str(caught.value).splitlines() == [
        "1 row or value is bad; nothing was written.",
        "  line 2, sold_on “never”: is not a date written as 2020-05-31",
    ]


def test_what_cannot_be_read_fails_the_command(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{", encoding="utf-8")
    with pytest.raises(CommandError, match="is not JSON"):
        call_command("import_sales", "x.csv", "--mapping", str(tmp_path / "m.json"))
    with pytest.raises(CommandError, match="The mapping cannot be read"):
        call_command("import_sales", "x.csv", "--mapping", str(tmp_path / "none.json"))
    (tmp_path / "m.json").write_text('{"fields": {}}', encoding="utf-8")
    with pytest.raises(CommandError, match="The file cannot be read"):
        call_command("import_sales", str(tmp_path / "none.csv"), "--mapping", str(tmp_path / "m.json"))
