"""A draft as one document: read, checked with each problem at its place, its rules in words, and kept part by part.

The document is what a program file says of an edition (docs/program-file.md). The editor works on it, through staff's pages.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import override
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError as ShapeError
from jsonschema.exceptions import best_match

from accounts.models import User
from common.errors import ProgramError
from common.texts import Texts
from journal import services as journal
from tiers import checking, documents, measures, parsing, program_file, services, wording
from tiers import definitions as defined
from tiers.errors import DraftChangedError, DraftShapeError
from tiers.lexicon import Lexicon
from tiers.models import Benefit, Distinction, Edition, Measure, Program, Tier, TierBenefit

Document = dict[str, Any]
PARTS = ("tiers", "distinctions", "measures", "life", "country_groups", "exchange")
LISTS = ("tiers", "distinctions", "measures")
RANKS_OUT_OF_THE_WAY = 10_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a path in the edition's document, "tiers[1].earn.all[2]"; empty for the whole of it."""

    path: str
    says: str


# --- Reading --------------------------------------------------------------------------------------


def read(edition: Edition) -> Document:
    """The edition's parts as its file has them; those that are empty too. Four queries."""
    document = documents.edition(edition)
    return {part: document.get(part, [] if part in LISTS else {}) for part in PARTS}


def fingerprint(document: Document) -> str:
    """The same for the same document; another when anything differs."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _whole(edition: Edition, document: Document) -> Document:
    """The document as the file has it: with its name and day, without what is empty."""
    own = {"name": edition.name, "starts_on": edition.starts_on.isoformat(), "state": Edition.State.DRAFT.value}
    return {**own, **{part: document[part] for part in PARTS if document.get(part)}}


# --- Checking -------------------------------------------------------------------------------------


def shape_problems(edition: Edition, document: Document) -> list[Problem]:
    """What no draft can hold: missing names, texts where numbers stand, two things of one name."""
    validator = Draft202012Validator(
        {**program_file.SCHEMA["$defs"]["edition"], "$defs": program_file.SCHEMA["$defs"]},
        format_checker=FormatChecker(formats=["date"]),
    )
    found = [shape_problem(error) for error in validator.iter_errors(_whole(edition, document))]
    return list(dict.fromkeys(found)) or list(_names_twice(document))


def shape_problem(error: ShapeError) -> Problem:
    """What a schema refuses, in words, at the closest place."""
    closest = best_match([error]) or error
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in closest.absolute_path).lstrip(".")
    if closest.validator == "required":
        missing = next(key for key in closest.validator_value if key not in closest.instance)
        if missing == "tiers":
            return Problem("tiers", _("An edition has one tier at least."))
        return Problem(path, _missing(missing))
    if closest.instance in ("", [], {}, None) or closest.validator in ("minItems", "minProperties", "minLength"):
        return Problem(path, _("Something is missing here: fill it in or choose it."))
    if closest.validator in ("minimum", "maximum"):
        texts = {"minimum": _("At least %(bound)s stands here."), "maximum": _("At most %(bound)s stands here.")}
        return Problem(path, texts[closest.validator] % {"bound": closest.validator_value})
    if closest.validator == "additionalProperties":
        return Problem(path, program_file.schema_problem(closest).partition(": ")[2])
    return Problem(path, _("“%(value)s” cannot stand here.") % {"value": closest.instance})


def _missing(key: str) -> str:
    if key == "earn":
        return _("It has no rule to reach it yet.")
    if key == "name":
        return _("It has no name yet.")
    if key == "when":
        return _("Say which facts it is for: add a filter.")
    return _("“%(key)s” is missing.") % {"key": key}


def _names_twice(document: Document) -> Iterator[Problem]:
    named = [
        ("key", [(f"measures[{number}]", one) for number, one in enumerate(document["measures"])]),
        ("code", [(f"{kind}[{number}]", one) for kind in LISTS[:2] for number, one in enumerate(document[kind])]),
    ]
    for key, holders in named:
        seen: set[str] = set()
        for where, one in holders:
            if one[key] in seen:
                yield Problem(where, _("“%(value)s” stands there twice.") % {"value": one[key]})
            seen.add(one[key])
    known = {code for code, _name in settings.LANGUAGES}
    for where, one in [*named[0][1], *named[1][1]]:
        if unknown := set(one["name"]) - known:
            yield Problem(f"{where}.name", _("“%(code)s” is not a language of this site.") % {"code": min(unknown)})


def problems(edition: Edition, document: Document) -> list[Problem]:
    """Everything that keeps the draft from being published, each at its place: of every rule, not of the first one only."""
    if wrong := shape_problems(edition, document):
        return wrong
    found = [*_rule_problems(edition, document), *_benefit_problems(edition.program, document)]
    whole = _whole(edition, document)
    told = (_placed(said) for said in checking.problems(whole, edition.program.currency, "edition"))
    return list(dict.fromkeys([*told, *found]))


def _placed(said: str) -> Problem:
    """A problem in words, "edition.tiers[1].earn: ...", taken apart. One of a measure goes on with the place inside it."""
    place = re.match(r"edition\.?([\w.\[\]-]*): (.*)", said, re.DOTALL)
    path, text = (place[1], place[2]) if place else ("", said)
    inside = (
        re.match(r"([a-z_]+(?:\[\d+\]|\.[\w-]+)*): (.*)", text, re.DOTALL) if path.startswith("measures[") else None
    )
    if inside:
        path = inside[1] if inside[1].startswith("exchange.") else f"{path}.{inside[1]}"
        text = inside[2]
    return Problem(path, text[:1].upper() + text[1:])


def _rule_problems(edition: Edition, document: Document) -> Iterator[Problem]:
    known = lexicon_of(edition, document).known()
    for where, rule in _rules(document):
        try:
            parsing.rule(rule, known, f"edition.{where}")
        except ProgramError as error:
            yield _placed(str(error))


def _rules(document: Document) -> Iterator[tuple[str, Document]]:
    for kind in LISTS[:2]:
        for number, one in enumerate(document[kind]):
            for purpose in ("earn", "keep"):
                if one.get(purpose):
                    yield f"{kind}[{number}].{purpose}", one[purpose]


def measure_problems(edition: Edition, document: Document, key: str) -> list[Problem]:
    """What keeps one measure from being measured, in the measures that it is made of too."""
    definitions = {one["key"]: _definition(one) for one in document["measures"]}
    numbers = {one["key"]: number for number, one in enumerate(document["measures"])}
    if key not in definitions:
        return [Problem("measures", _("There is no such measure."))]
    behind, waiting = set(), [key]
    while waiting:
        one = waiting.pop()
        if one in behind or one not in definitions:
            continue
        behind.add(one)
        waiting += [
            *defined.parts_of(definitions[one]),
            *([definitions[one]["rank"]] if "rank" in definitions[one] else []),
        ]
    own = tuple(f"measures[{numbers[one]}]" for one in behind)
    return [one for one in problems(edition, document) if one.path == "measures" or one.path.startswith(own)]


def _benefit_problems(program: Program, document: Document) -> Iterator[Problem]:
    given = [
        (f"tiers[{number}].benefits[{at}]", one["code"])
        for number, tier in enumerate(document["tiers"])
        for at, one in enumerate(tier.get("benefits", []))
    ]
    if not given:
        return
    known = set(program.benefits.values_list("code", flat=True))
    for where, code in given:
        if code not in known:
            yield Problem(where, _("The program has no benefit “%(code)s”.") % {"code": code})


# --- In words -------------------------------------------------------------------------------------


def lexicon_of(edition: Edition, document: Document) -> Lexicon:
    """What rules of the document may name, without anything being kept. A measure that cannot be read counts as a number."""
    definitions = {one["key"]: _definition(one) for one in document["measures"]}
    return Lexicon(
        edition=Edition(
            pk=edition.pk, program=edition.program, name=edition.name, starts_on=edition.starts_on,
            country_groups=document["country_groups"], exchange=document["exchange"],
        ),
        measures={
            one["key"]: Measure(key=one["key"], name=Texts(one["name"]), definition=definitions[one["key"]])
            for one in document["measures"]
        },
        definitions=definitions,
        units={key: _unit(one, definitions) for key, one in definitions.items()},
        tiers=[Tier(code=one["code"], name=Texts(one["name"])) for one in document["tiers"]],
        distinctions=[Distinction(code=one["code"], name=Texts(one["name"])) for one in document["distinctions"]],
    )  # fmt: skip


def _definition(measure: Document) -> Document:
    return {key: value for key, value in measure.items() if key not in ("key", "name")}


def _unit(definition: Document, definitions: dict[str, Document]) -> str:
    try:
        return measures.unit_of(definition, definitions)
    except (ProgramError, KeyError):
        return "count"


def in_every_language(say: Callable[[], Any]) -> dict[str, Any]:
    """What `say` gives in each language of the site, by its code; nothing where it cannot be said as things stand."""
    said = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            try:
                said[code] = say()
            except (ProgramError, KeyError, ValueError, TypeError):
                return {}
    return said


def as_json(sentence: wording.Sentence | None) -> Document | None:
    if sentence is None:
        return None
    return {"says": sentence.says, "children": [as_json(one) for one in sentence.children]}


def rules_in_words(edition: Edition, document: Document, shown: str) -> dict[str, Any]:
    """The rules of one part ("tiers[1]") in each language, by path. Those that cannot be read yet are left out."""
    lexicon = lexicon_of(edition, document)

    def sentence(rule: Document) -> dict[str, Any]:
        return in_every_language(lambda: as_json(wording.rule_sentence(rule, lexicon)))

    said = {where: sentence(rule) for where, rule in _rules(document) if where.startswith(f"{shown}.")}
    return {where: texts for where, texts in said.items() if texts}


# --- Keeping --------------------------------------------------------------------------------------


@transaction.atomic
def save(*, edition: Edition, document: Document, seen: str, actor: User | None = None) -> Document:
    """Make the draft what the document says, and return how it reads then. Each part that differs is kept, with its entry in
    the journal; repeating changes nothing.

    `seen` is the fingerprint of what the document was made from: DraftChangedError where the draft is another by now.
    Raises EditionFrozenError for a published edition, DraftShapeError for a document that no draft can hold.
    """
    services.lock_draft(edition)
    locked = Edition.objects.select_related("program").get(pk=edition.pk)
    before = read(locked)
    if fingerprint(before) != seen:
        raise DraftChangedError(
            _("Somebody changed this draft meanwhile. Load the page again; what you typed stays here until then.")
        )
    if wrong := [*shape_problems(locked, document), *_benefit_problems(locked.program, document)]:
        raise DraftShapeError(wrong)
    for part in ("life", "country_groups", "exchange"):
        setattr(locked, part, document[part])
    services.save_draft(part=locked, actor=actor)
    _save_list(locked, before, document, "tiers", actor)
    _save_list(locked, before, document, "distinctions", actor)
    _save_list(locked, before, document, "measures", actor)
    return read(locked)


def _save_list(edition: Edition, before: Document, document: Document, kind: str, actor: User | None) -> None:
    key = "key" if kind == "measures" else "code"
    rows: dict[str, Any] = {getattr(one, key): one for one in getattr(edition, kind).all()}
    wanted = {one[key]: one for one in document[kind]}
    old = {one[key]: one for one in before[kind]}
    gone = [rows.pop(name) for name in list(rows) if name not in wanted]
    if kind != "measures":  # a tier that goes leaves its rank to others
        _remove(gone, actor)
    order = {name: place for place, name in enumerate(wanted)}
    _reorder(edition, kind, rows, order, actor)
    for name, one in wanted.items():
        if old.get(name) == one:
            continue
        row = rows.get(name) or _new(kind, edition, name)
        _fill(kind, row, one, order[name])
        services.save_draft(part=row, actor=actor)
        if kind == "tiers":
            _save_benefits(row, one.get("benefits", []), actor)
    if kind == "measures":  # by now nothing else names it
        _remove(gone, actor)


def _remove(rows: list[Any], actor: User | None) -> None:
    for row in rows:
        services.remove_from_draft(part=row, actor=actor)


def _new(kind: str, edition: Edition, name: str) -> Any:
    if kind == "measures":
        return Measure(edition=edition, key=name)
    return (Tier if kind == "tiers" else Distinction)(edition=edition, code=name)


def _fill(kind: str, row: Any, one: Document, place: int) -> None:
    row.name = Texts(one["name"])
    if kind == "measures":
        row.position, row.definition = place, _definition(one)
        return
    row.summary, row.color = Texts(one.get("summary", {})), one["color"]
    row.holds, row.earn, row.keep = one.get("holds", {}), one.get("earn", {}), one.get("keep", {})
    if kind == "tiers":
        row.rank, row.confirm, row.granted_only = place + 1, one.get("confirm", False), one.get("granted_only", False)
        row.life = parsing.life_of_tier(one)
    else:
        row.position = place


def _reorder(edition: Edition, kind: str, rows: dict[str, Any], order: dict[str, int], actor: User | None) -> None:
    """Give rows their new places, with one entry for all of them: a rank stands once in an edition, so none can move alone."""
    field, first = ("rank", 1) if kind == "tiers" else ("position", 0)
    places = {name: place for name, place in order.items() if name in rows}
    moved = {name: place + first for name, place in places.items() if getattr(rows[name], field) != place + first}
    if not moved:
        return
    model = type(next(iter(rows.values())))
    was = sorted(rows, key=lambda name: getattr(rows[name], field))
    moving = model._default_manager.filter(pk__in=[rows[name].pk for name in moved])
    moving.update(**{field: F(field) + RANKS_OUT_OF_THE_WAY})
    for name, place in moved.items():
        setattr(rows[name], field, place)
    model._default_manager.bulk_update([rows[name] for name in moved], [field])
    if was != sorted(places, key=places.__getitem__):
        journal.record(
            verb=f"tiers.edition.{kind}-reordered", subject=edition, actor=actor, before={kind: was},
            after={kind: sorted(places, key=places.__getitem__)},
        )  # fmt: skip


def _save_benefits(tier: Tier, given: list[Document], actor: User | None) -> None:
    rows = {one.benefit.code: one for one in tier.tier_benefits.select_related("benefit")}
    known = {one.code: one for one in Benefit.objects.filter(program=tier.edition.program_id)}
    wanted = {one["code"]: one for one in given}
    for code in [code for code in rows if code not in wanted]:
        services.remove_from_draft(part=rows.pop(code), actor=actor)
    for code, one in wanted.items():
        row = rows.get(code) or TierBenefit(tier=tier, benefit=known[code])
        row.terms, row.per = Texts(one.get("terms", {})), one.get("per", "")
        row.quantity = Decimal(str(one["quantity"])) if "quantity" in one else None
        services.save_draft(part=row, actor=actor)
