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
from tiers import measures, services
from tiers.models import Benefit, Edition, Measure, Program, Rule, Tier, TierBenefit

SCHEMA = json.loads((Path(__file__).parent / "program_schema.json").read_text(encoding="utf-8"))
COMPARISONS = {"at_least": "gte", "more_than": "gt", "at_most": "lte", "less_than": "lt"}
NAMES = {comparison: name for name, comparison in COMPARISONS.items()}

Document = dict[str, Any]


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
    problems = [_schema_problem(error) for error in _validator().iter_errors(document)] or list(_problems(document))
    if problems:
        raise ProgramFileError(problems)
    return dict(document)


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    sections = {key: section.schema for key, section in _sections.items()}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], **sections}}
    return Draft202012Validator(schema, format_checker=FormatChecker(formats=["date"]))


def _schema_problem(error: Any) -> str:
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
    yield from _text_problems(document, "")
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


def _text_problems(value: Any, where: str) -> Iterator[str]:
    """Texts by language, wherever they stand: every language must be one of the site's."""
    known = {code for code, _name in settings.LANGUAGES}
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{where}.{key}".lstrip(".")
            if key in ("name", "promise", "description", "summary", "terms") and isinstance(inner, dict):
                if unknown := set(inner) - known:
                    yield _("%(where)s: “%(language)s” is not a language of this site; it has %(known)s.") % {
                        "where": path, "language": ", ".join(sorted(unknown)), "known": ", ".join(sorted(known))
                    }  # fmt: skip
            else:
                yield from _text_problems(inner, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _text_problems(inner, f"{where}[{number}]")


def _edition_problems(edition: Document, where: str, benefits: set[str], currency: str) -> Iterator[str]:
    yield from _twice(edition.get("measures", []), "key", f"{where}.measures")
    yield from _twice(edition["tiers"], "code", f"{where}.tiers")
    by_key = {measure["key"]: measure for measure in edition.get("measures", [])}
    for number, measure in enumerate(edition.get("measures", [])):
        yield from _measure_problems(measure, f"{where}.measures[{number}]", by_key)
    for number, tier in enumerate(edition["tiers"]):
        path = f"{where}.tiers[{number}]"
        if number == 0 and "earn" in tier:
            yield _("%(where)s: the first tier is the entry tier: enrolling gives it, no rule earns it.") % {
                "where": f"{path}.earn"
            }
        if number > 0 and "earn" not in tier:
            yield _("%(where)s: the tier needs “earn”, the rule to reach it.") % {"where": path}
        yield from _twice(tier.get("benefits", []), "code", f"{path}.benefits")
        for at, given in enumerate(tier.get("benefits", [])):
            if given["code"] not in benefits:
                yield _("%(where)s: there is no benefit “%(code)s” in this file.") % {
                    "where": f"{path}.benefits[{at}]", "code": given["code"]
                }  # fmt: skip
        for purpose in ("earn", "keep"):
            if purpose in tier:
                yield from _rule_problems(tier[purpose], f"{path}.{purpose}", by_key)


def _measure_problems(measure: Document, where: str, by_key: dict[str, Document]) -> Iterator[str]:
    if "ratio" in measure:
        for key in measure["ratio"]:
            if key not in by_key or "ratio" in by_key[key]:
                yield _("%(where)s: a ratio is of two measures that count or add up; “%(key)s” is none.") % {
                    "where": f"{where}.ratio", "key": key
                }  # fmt: skip
        return
    try:
        measures.check_measure(_measure(Edition(), measure, 0))
    except ProgramError as error:
        yield f"{where}: {error}"


def _rule_problems(rule: Document, where: str, by_key: dict[str, Document]) -> Iterator[str]:
    if "measure" in rule:
        if rule["measure"] not in by_key:
            yield _("%(where)s: there is no measure “%(key)s” in this edition.") % {
                "where": where, "key": rule["measure"]
            }  # fmt: skip
        return
    name, children = _children(rule)
    if rule.get("at_least", 1) > len(children):
        yield _("%(where)s: at least %(needed)s are asked of %(count)s rules.") % {
            "where": where, "needed": rule["at_least"], "count": len(children)
        }  # fmt: skip
    for number, child in enumerate(children):
        yield from _rule_problems(child, f"{where}.{name}[{number}]", by_key)


def _children(rule: Document) -> tuple[str, list[Document]]:
    name = "of" if "at_least" in rule else "all" if "all" in rule else "any"
    return name, rule[name]


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
    program.is_public = document["public"]
    program.full_clean(exclude=["slug"] if program.pk else [])
    program.save()
    return program


def _save_benefits(program: Program, described: list[Document]) -> dict[str, Benefit]:
    saved = {}
    for position, benefit in enumerate(described):
        texts = {"name": Texts(benefit["name"]), "description": Texts(benefit.get("description", {}))}
        saved[benefit["code"]], _created = Benefit.objects.update_or_create(
            program=program, code=benefit["code"], defaults={"position": position, **texts}
        )
    return saved


def _save_edition(
    program: Program, described: Document, benefits: dict[str, Benefit], actor: User | None
) -> None:  # fmt: skip
    Edition.objects.filter(program=program, name=described["name"], state=Edition.State.DRAFT).delete()
    edition = Edition.objects.create(
        program=program, name=described["name"], starts_on=date.fromisoformat(described["starts_on"]),
        review=described["review"],
    )  # fmt: skip
    by_key: dict[str, Measure] = {}
    for ratios in (False, True):
        for position, measure in enumerate(described.get("measures", [])):
            if ("ratio" in measure) == ratios:
                made = _measure(edition, measure, position)
                if ratios:
                    made.numerator, made.denominator = (by_key[key] for key in measure["ratio"])
                made.save()
                by_key[measure["key"]] = made
    for rank, one in enumerate(described["tiers"], start=1):
        tier = Tier.objects.create(
            edition=edition, rank=rank, code=one["code"], name=Texts(one["name"]),
            summary=Texts(one.get("summary", {})), color=one["color"],
        )  # fmt: skip
        TierBenefit.objects.bulk_create(
            TierBenefit(tier=tier, benefit=benefits[given["code"]], terms=Texts(given.get("terms", {})))
            for given in one.get("benefits", [])
        )
        for purpose in ("earn", "keep"):
            if purpose in one:
                _save_rule(one[purpose], tier, purpose, None, 0, by_key)
    if described["state"] == "published":
        services.publish_edition(edition=edition, actor=actor)


def _measure(edition: Edition, described: Document, position: int) -> Measure:
    measure = Measure(edition=edition, key=described["key"], position=position, name=Texts(described["name"]))
    if "ratio" in described:
        measure.aggregate = Measure.Aggregate.RATIO
        return measure
    measure.aggregate, measure.dataset = described["aggregate"], described["dataset"]
    measure.field = described.get("field", "")
    measure.filters, measure.window = described.get("filters", []), described["window"]
    return measure


def _save_rule(
    described: Document, tier: Tier, purpose: str, parent: Rule | None, position: int, by_key: dict[str, Measure]
) -> None:
    rule = Rule(tier=tier, purpose=purpose, parent=parent, position=position)
    if "measure" in described:
        rule.kind, rule.measure = Rule.Kind.REQUIREMENT, by_key[described["measure"]]
        rule.comparison, rule.threshold = COMPARISONS[described["is"]], Decimal(described["value"])
        rule.save()
        return
    name, children = _children(described)
    rule.kind = Rule.Kind.AT_LEAST if name == "of" else Rule.Kind(name)
    rule.at_least = described.get("at_least")
    rule.save()
    for number, child in enumerate(children):
        _save_rule(child, tier, purpose, rule, number, by_key)


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
        "currency": program.currency,
        "public": program.is_public,
        "benefits": [
            _without_empty({"code": one.code, "name": dict(one.name), "description": dict(one.description)})
            for one in program.benefits.order_by("position", "id")
        ],
        "editions": [_dump_edition(edition) for edition in editions],
    }
    for key, section in _sections.items():
        document[key] = section.dump(program)
    return _without_empty(document)


def _without_empty(document: Document) -> Document:
    return {key: value for key, value in document.items() if value not in (None, "", [], {})}


def _dump_edition(edition: Edition) -> Document:
    by_id = {measure.pk: measure for measure in edition.measures.order_by("position", "id")}
    rules: dict[tuple[int, str, int | None], list[Rule]] = {}
    for rule in Rule.objects.filter(tier__edition=edition).order_by("position", "id"):
        rules.setdefault((rule.tier_id, rule.purpose, rule.parent_id), []).append(rule)

    def node(rule: Rule) -> Document:
        if rule.measure_id is not None and rule.threshold is not None:
            return {
                "measure": by_id[rule.measure_id].key,
                "is": NAMES[rule.comparison],
                "value": number(rule.threshold),
            }
        below = [node(child) for child in rules.get((rule.tier_id, rule.purpose, rule.pk), [])]
        return {"at_least": rule.at_least, "of": below} if rule.kind == Rule.Kind.AT_LEAST else {rule.kind: below}

    def tier(one: Tier) -> Document:
        trees = {
            purpose: node(roots[0]) for purpose in ("earn", "keep") if (roots := rules.get((one.pk, purpose, None)))
        }
        given = [
            _without_empty({"code": each.benefit.code, "terms": dict(each.terms)})
            for each in one.tier_benefits.select_related("benefit").order_by("benefit__position", "id")
        ]
        texts = {"code": one.code, "name": dict(one.name), "summary": dict(one.summary), "color": one.color}
        return _without_empty({**texts, "benefits": given, **trees})

    return _without_empty(
        {
            "name": edition.name,
            "starts_on": edition.starts_on.isoformat(),
            "state": edition.state,
            "review": edition.review,
            "measures": [_dump_measure(measure, by_id) for measure in by_id.values()],
            "tiers": [tier(one) for one in edition.tiers.order_by("rank")],
        }
    )


def _dump_measure(measure: Measure, by_id: dict[int, Measure]) -> Document:
    described: Document = {"key": measure.key, "name": dict(measure.name)}
    if measure.numerator_id is not None and measure.denominator_id is not None:
        return {**described, "ratio": [by_id[measure.numerator_id].key, by_id[measure.denominator_id].key]}
    return _without_empty(
        {
            **described,
            "aggregate": measure.aggregate,
            "dataset": measure.dataset,
            "field": measure.field,
            "filters": _in_order(measure.filters),
            "window": _in_order(measure.window),
        }
    )


def _in_order(value: Any) -> Any:
    """PostgreSQL keeps the keys of JSON in an order of its own; a file has them by name, at every depth."""
    if isinstance(value, dict):
        return {key: _in_order(inner) for key, inner in sorted(value.items())}
    return [_in_order(inner) for inner in value] if isinstance(value, list) else value


def number(value: Decimal) -> int | str:
    """Whole numbers plain; fractions as text, which keeps them exact."""
    return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")
