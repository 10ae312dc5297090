"""A plan's draft as one document: read, checked with each problem at its place, its rules in words, and kept as a whole.

The document is what a program file says of a plan (docs/plan-file.md), its head under `plan` and its `rules`. The editor works on it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from commissions import plan_documents, plan_words, services
from commissions.errors import PlanError
from commissions.models import Plan
from common.texts import Texts
from tiers.drafting import Problem, fingerprint, in_every_language, shape_problem
from tiers.models import Tier

Document = dict[str, Any]
PARTS = ("plan", "rules")
HEAD = ("currency", "hold_days", "run_off_months")


def read(plan: Plan) -> Document:
    """The plan as the editor has it. No query."""
    definition = plan_documents.in_order(plan.definition)
    head: Document = {"name": dict(plan.name), "starts_on": plan.starts_on.isoformat()}
    if plan.ends_on is not None:
        head["ends_on"] = plan.ends_on.isoformat()
    return {
        "plan": {**head, **{key: definition[key] for key in HEAD if key in definition}},
        "rules": definition.get("rules", []),
    }


def _definition(document: Document) -> Document:
    head = {key: document["plan"][key] for key in HEAD if document["plan"].get(key) not in (None, "")}
    return {**head, "rules": document["rules"]}


def tiers_of(plan: Plan) -> dict[str, str]:
    """The tiers of the program by code, lowest first, each by the name that its newest edition gives it. One query."""
    rows = Tier.objects.filter(edition__program=plan.program_id).order_by("edition__starts_on", "edition_id", "rank")
    newest = {tier.code: tier for tier in rows}
    return {code: str(tier) for code, tier in sorted(newest.items(), key=lambda one: (one[1].rank, one[0]))}


# --- Checking -------------------------------------------------------------------------------------


def problems(plan: Plan, document: Document, *, tiers: Mapping[str, str] | None = None) -> list[Problem]:
    """Everything that keeps the draft from being published, each at its place: of every rule, not of the first one only."""
    found = [*_head_problems(document)]
    definition = _definition(document)
    if wrong := [shape_problem(error) for error in plan_documents.shape_errors(definition)]:
        found += [_moved(one) for one in wrong]
    else:
        told = plan_documents.sense(
            definition, tiers=tiers_of(plan) if tiers is None else tiers, currency=plan.program.currency
        )
        found += [_placed(one) for one in told]
    return list(dict.fromkeys(found))


def _head_problems(document: Document) -> Iterator[Problem]:
    head = document["plan"]
    if not any(head["name"].values()):
        yield Problem("plan.name", _("It has no name yet."))
    yield from (
        Problem("plan.name", _("“%(code)s” is not a language of this site.") % {"code": code})
        for code in sorted(set(head["name"]) - {code for code, _name in settings.LANGUAGES})
    )
    starts_on, ends_on = _day(head, "starts_on"), _day(head, "ends_on")
    if starts_on is None:
        yield Problem("plan.starts_on", _("Say on which day it starts."))
    elif ends_on is not None and ends_on <= starts_on:
        yield Problem("plan.ends_on", _("The plan ends before it starts."))


def _day(head: Document, key: str) -> date | None:
    try:
        return date.fromisoformat(head.get(key) or "")
    except (TypeError, ValueError):
        return None


def _moved(problem: Problem) -> Problem:
    """What the definition says at its top stands under `plan` in the document."""
    at = f"plan.{problem.path}" if problem.path.split(".")[0] in HEAD else problem.path
    return Problem(at or "rules", problem.says)


def _placed(said: str) -> Problem:
    """A problem in words, "rules[0].rate: ...", taken apart."""
    place = re.match(r"([a-z_]+(?:\[\d+\]|\.[\w-]+)*): (.*)", said, re.DOTALL)
    path, text = (place[1], place[2]) if place else ("", said)
    return Problem(path, text[:1].upper() + text[1:])


# --- In words -------------------------------------------------------------------------------------


def in_words(plan: Plan, document: Document) -> dict[str, Any]:
    """The sentence of each rule in each language, by its path. Rules that cannot be read yet are left out."""
    definition = _definition(document)
    broken = {
        shape_problem(error).path.partition(".")[0].partition("]")[0]
        for error in plan_documents.shape_errors(definition)
    }
    names, currency = tiers_of(plan), str(definition.get("currency", ""))
    said = {}
    for number, rule in enumerate(document["rules"]):
        if f"rules[{number}" in broken:
            continue
        if words := in_every_language(lambda rule=rule: _sentence(rule, currency, names)):  # type: ignore[misc]
            said[f"rules[{number}]"] = words
    return said


def _sentence(rule: Document, currency: str, names: dict[str, str]) -> dict[str, Any]:
    sentence = plan_words.rule(rule, currency, names).sentence
    return {"says": f"{sentence[:1].upper()}{sentence[1:]}.", "children": []}


# --- Keeping --------------------------------------------------------------------------------------


@transaction.atomic
def save(*, plan: Plan, document: Document, seen: str, actor: User | None = None) -> Document:
    """Make the draft what the document says, and return how it reads then. It may be wrong still; repeating changes nothing.

    `seen` is the fingerprint of what the document was made from. Raises PlanError where the draft is another by now, where the
    plan is published, and for a day or name that no draft can hold.
    """
    locked = Plan.objects.select_for_update(no_key=True, of=("self",)).select_related("program").get(pk=plan.pk)
    if locked.state == Plan.State.DRAFT and fingerprint(read(locked)) != seen:
        raise PlanError(
            _("Somebody changed this draft meanwhile. Load the page again; what you typed stays here until then.")
        )
    head = document["plan"]
    starts_on, ends_on = _day(head, "starts_on"), _day(head, "ends_on")
    if starts_on is None:
        raise PlanError(_("Not saved: say on which day the plan starts."))
    if head.get("ends_on") and (ends_on is None or ends_on <= starts_on):
        raise PlanError(_("Not saved: the plan has to end after it starts."))
    kept = services.change_draft(
        plan=locked, name=Texts(head["name"]), starts_on=starts_on, ends_on=ends_on, definition=_definition(document),
        actor=actor,
    )  # fmt: skip
    return read(kept)
