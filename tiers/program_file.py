"""A program as a file: read, checked as a whole, written back byte for byte. docs/program-file.md describes it.

Apps above add sections of their own (commission plans) with `register_section` at start-up.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker

from accounts.models import User
from common.errors import ProgramError
from common.texts import Texts
from journal import services as journal
from tiers import checking, documents, parsing, services
from tiers.models import Benefit, Distinction, Edition, Measure, Program, Tier, TierBenefit

SCHEMA = json.loads((Path(__file__).parent / "program_schema.json").read_text(encoding="utf-8"))
FORMAT = 1

Document = dict[str, Any]
TEXTS = ("name", "promise", "description", "summary", "terms", "notes")


class ProgramFileError(ProgramError):
    """The file cannot become a program. `problems` says each thing that is wrong, and where in the file."""

    code = "program_file_invalid"

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file that another app owns.

    `check(value, document)` yields problems; `load(program, value, actor)` writes, repeating changes nothing;
    `dump(program)` is what `load` would take, or None for nothing.
    """

    key: str
    schema: Document
    check: Callable[[Any, Document], Iterator[str]]
    load: Callable[[Program, Any, User | None], None]
    dump: Callable[[Program], Any]


_sections: dict[str, Section] = {}


def register_section(section: Section) -> None:
    if section.key in _sections:
        raise ValueError(f"section {section.key!r} is registered twice")
    _sections[section.key] = section


# --- Reading --------------------------------------------------------------------------------------


def read(text: str | bytes) -> Document:
    """The file's content, checked: what it returns can be imported, unless the database holds another history.

    Raises ProgramFileError with every problem there is.
    """
    try:
        document = json.loads(text)
    except UnicodeDecodeError:
        raise ProgramFileError([_("This is not a text file in UTF-8.")]) from None
    except json.JSONDecodeError as error:
        raise ProgramFileError(
            [_("Line %(line)s, column %(column)s: this is not JSON (%(why)s).")
             % {"line": error.lineno, "column": error.colno, "why": error.msg}]
        ) from None  # fmt: skip
    if isinstance(document, dict) and isinstance(document.get("format"), int) and document["format"] > FORMAT:
        raise ProgramFileError(
            [_("format: this file is of format %(theirs)s; this version reads format %(ours)s. Update, or export it again from there.")
             % {"theirs": document["format"], "ours": FORMAT}]
        )  # fmt: skip
    problems = [schema_problem(error) for error in _validator().iter_errors(document)] or list(_problems(document))
    if problems:
        raise ProgramFileError(problems)
    return dict(document)


def schema() -> Document:
    """The JSON Schema of a program file, with the sections that other apps own."""
    sections = {key: section.schema for key, section in _sections.items()}
    return {**SCHEMA, "properties": {**SCHEMA["properties"], **sections}}


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema(), format_checker=FormatChecker(formats=["date"]))


def schema_problem(error: Any) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(error.schema.get("properties", {})))
        return _("%(where)s: %(what)s Known are: %(known)s.") % {
            "where": where or "file", "what": error.message + ".", "known": known
        }  # fmt: skip
    if error.validator in ("oneOf", "anyOf"):
        return _("%(where)s: this is none of the forms that are allowed here (docs/program-file.md shows them).") % {
            "where": where or "file"
        }
    return f"{where or 'file'}: {error.message}."


def _problems(document: Document) -> Iterator[str]:
    yield from text_problems(document)
    yield from _twice(document.get("benefits", []), "code", "benefits")
    yield from _twice(document["editions"], "name", "editions")
    published = [one for one in document["editions"] if one["state"] == "published"]
    yield from _twice(published, "starts_on", "editions")
    known = {benefit["code"] for benefit in document.get("benefits", [])}
    for number, edition in enumerate(document["editions"]):
        yield from _edition_problems(edition, f"editions[{number}]", known, document["currency"])
    for key, section in _sections.items():
        if key in document:
            yield from section.check(document[key], document)


def _twice(items: list[Document], key: str, where: str) -> Iterator[str]:
    seen: set[str] = set()
    for number, item in enumerate(items):
        if item[key] in seen:
            yield _("%(where)s: “%(value)s” stands there twice.") % {
                "where": f"{where}[{number}].{key}", "value": item[key]
            }  # fmt: skip
        seen.add(item[key])


def text_problems(value: Any, where: str = "") -> Iterator[str]:
    """Texts by language, wherever they stand: every language must be one of the site's."""
    known = {code for code, _name in settings.LANGUAGES}
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{where}.{key}".lstrip(".")
            if key in TEXTS and isinstance(inner, dict):
                if unknown := set(inner) - known:
                    yield _("%(where)s: “%(language)s” is not a language of this site; it has %(known)s.") % {
                        "where": path, "language": ", ".join(sorted(unknown)), "known": ", ".join(sorted(known))
                    }  # fmt: skip
            else:
                yield from text_problems(inner, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from text_problems(inner, f"{where}[{number}]")


def _edition_problems(edition: Document, where: str, benefits: set[str], currency: str) -> Iterator[str]:
    distinctions = edition.get("distinctions", [])
    yield from _twice(edition.get("measures", []), "key", f"{where}.measures")
    yield from _twice(edition["tiers"] + distinctions, "code", f"{where}.tiers")
    for number, tier in enumerate(edition["tiers"]):
        path = f"{where}.tiers[{number}]"
        yield from _twice(tier.get("benefits", []), "code", f"{path}.benefits")
        for at, given in enumerate(tier.get("benefits", [])):
            if given["code"] not in benefits:
                yield _("%(where)s: there is no benefit “%(code)s” in this file.") % {
                    "where": f"{path}.benefits[{at}]", "code": given["code"]
                }  # fmt: skip
    yield from checking.problems(edition, currency, where)


# --- Importing ------------------------------------------------------------------------------------


@transaction.atomic
def import_program(source: str | bytes | Path, *, actor: User | None = None) -> Program:
    """Make the program of the file, or bring the one of its slug up to it. Repeating changes nothing.

    Texts, benefits and drafts are replaced; an edition that is published stays as it is. Raises ProgramFileError with
    every problem, and for a published edition that the file would change; then nothing is written.
    """
    document = read(source.read_bytes() if isinstance(source, Path) else source)
    program = Program.objects.select_for_update().filter(slug=document["slug"]).first()
    before = dump(program) if program else {}
    if program is not None and (problems := list(_history_problems(before, document))):
        raise ProgramFileError(problems)
    program = _save_program(program, document)
    benefits = _save_benefits(program, document.get("benefits", []))
    stored = {edition["name"]: edition for edition in before.get("editions", [])}
    for described in document["editions"]:
        if stored.get(described["name"]) != described:
            _save_edition(program, described, benefits, actor)
    program.benefits.exclude(code__in=benefits).filter(tier_benefits__isnull=True).delete()
    for key, section in _sections.items():
        if key in document:
            section.load(program, document[key], actor)
    if before != document:
        journal.record(
            verb="tiers.program.imported", subject=program, actor=actor,
            after={"slug": program.slug, "editions": [edition["name"] for edition in document["editions"]]},
        )  # fmt: skip
    return program


def _history_problems(before: Document, document: Document) -> Iterator[str]:
    if before["currency"] != document["currency"]:
        yield _("currency: the program is kept in %(old)s; that cannot become %(new)s.") % {
            "old": before["currency"], "new": document["currency"]
        }  # fmt: skip
    described = {edition["name"]: edition for edition in document["editions"]}
    for edition in before["editions"]:
        if edition["state"] == "published" and described.get(edition["name"], edition) != edition:
            yield _(
                "editions: “%(name)s” is published, and the file describes it differently. "
                "Give the changed rules a new edition with its own name and day."
            ) % {"name": edition["name"]}


def _save_program(program: Program | None, document: Document) -> Program:
    program = program or Program(slug=document["slug"], currency=document["currency"])
    for key in ("name", "promise", "description"):
        setattr(program, key, Texts(document.get(key, {})))
    program.source, program.is_public = document.get("source", []), document["public"]
    program.full_clean(exclude=["slug"] if program.pk else [])
    program.save()
    return program


def _save_benefits(program: Program, described: list[Document]) -> dict[str, Benefit]:
    saved = {}
    for position, benefit in enumerate(described):
        own = {
            "position": position, "kind": benefit.get("kind", Benefit.Kind.ACCESS), "name": Texts(benefit["name"]),
            "description": Texts(benefit.get("description", {})),
        }  # fmt: skip
        saved[benefit["code"]], _created = Benefit.objects.update_or_create(
            program=program, code=benefit["code"], defaults=own
        )
    return saved


def _save_edition(program: Program, described: Document, benefits: dict[str, Benefit], actor: User | None) -> None:
    Edition.objects.filter(program=program, name=described["name"], state=Edition.State.DRAFT).delete()
    edition = Edition.objects.create(
        program=program, name=described["name"], starts_on=date.fromisoformat(described["starts_on"]),
        notes=Texts(described.get("notes", {})), life=described.get("life", {}),
        country_groups=described.get("country_groups", {}), exchange=described.get("exchange", {}),
    )  # fmt: skip
    Measure.objects.bulk_create(
        Measure(
            edition=edition, position=position, key=one["key"], name=Texts(one["name"]),
            definition={key: value for key, value in one.items() if key not in ("key", "name")},
        )
        for position, one in enumerate(described.get("measures", []))
    )  # fmt: skip
    tiers = Tier.objects.bulk_create(
        Tier(
            edition=edition, rank=rank, confirm=one.get("confirm", False), granted_only=one.get("granted_only", False),
            life=parsing.life_of_tier(one), **_badge(one),
        )
        for rank, one in enumerate(described["tiers"], start=1)
    )  # fmt: skip
    TierBenefit.objects.bulk_create(
        TierBenefit(
            tier=tier, benefit=benefits[given["code"]], terms=Texts(given.get("terms", {})),
            quantity=Decimal(given["quantity"]) if "quantity" in given else None, per=given.get("per", ""),
        )
        for tier, one in zip(tiers, described["tiers"], strict=True)
        for given in one.get("benefits", [])
    )  # fmt: skip
    Distinction.objects.bulk_create(
        Distinction(edition=edition, position=position, **_badge(one))
        for position, one in enumerate(described.get("distinctions", []))
    )
    if described["state"] == "published":
        services.publish_edition(edition=edition, actor=actor)


def _badge(one: Document) -> dict[str, Any]:
    """What tiers and distinctions have in common."""
    return {
        "code": one["code"], "name": Texts(one["name"]), "summary": Texts(one.get("summary", {})), "color": one["color"],
        "holds": one.get("holds", {}), "earn": one.get("earn", {}), "keep": one.get("keep", {}),
    }  # fmt: skip


# --- Exporting ------------------------------------------------------------------------------------


def export_program(program: Program) -> str:
    """The program as the text of a file. Importing a file and exporting it gives the same bytes where the file is in
    this form: keys in this order, nothing empty, two spaces."""
    return json.dumps(dump(program), ensure_ascii=False, indent=2) + "\n"


def dump(program: Program) -> Document:
    editions = program.editions.exclude(state=Edition.State.RETIRED).order_by("starts_on", "id")
    document = {
        "slug": program.slug,
        "name": dict(program.name),
        "promise": dict(program.promise),
        "description": dict(program.description),
        "source": program.source,
        "currency": program.currency,
        "public": program.is_public,
        "benefits": [
            documents.without_empty(
                {
                    "code": one.code,
                    "kind": one.kind if one.kind != Benefit.Kind.ACCESS else "",
                    "name": dict(one.name),
                    "description": dict(one.description),
                }
            )
            for one in program.benefits.order_by("position", "id")
        ],
        "editions": [documents.edition(edition) for edition in editions],
    }
    for key, section in _sections.items():
        document[key] = section.dump(program)
    return documents.without_empty(document)
