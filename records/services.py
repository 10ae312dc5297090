"""Every write of facts from elsewhere that a person or a machine asks for. Files come in by `records.imports`.

Awards live with the tiers; giving and ending one is theirs, offered here beside the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from accounts.models import User
from imports.upsert import Outcome, as_json, keyed, there, upsert
from journal import services as journal
from records.errors import FactError
from records.models import PlanTarget, Record, Score
from records.selectors import IDENTITY, problems
from tiers.awarding import correct_award, end_award, give_awards

__all__ = [
    "Taken", "correct_award", "end_award", "give_awards", "record_facts", "save_fact", "set_plan_targets", "set_scores",
    "take_back",
]  # fmt: skip

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows that were given."""

    added: int
    changed: int
    unchanged: int


@transaction.atomic
def record_facts(*, facts: Sequence[Values], actor: User | None) -> Taken:
    """Keep records, each known by its `external_id`: one that is new is added, one that differs is changed.

    Values by attribute name: `external_id`, `partner_id`, `kind` and `occurred_on`, and any of `name`, `starts_on`,
    `ends_on`, `amount` with `currency`, `quantity`, `attributes`; what is left out is empty. Repeating changes nothing.
    An entry in the journal for each row that was written; a fixed number of statements. Raises FactError, and then
    nothing was written.
    """
    return _set(Record, facts, actor)


@transaction.atomic
def set_scores(*, scores: Sequence[Values], actor: User | None) -> Taken:
    """Keep scores, each known by `partner_id`, `kind`, `scope` (empty where left out) and `scored_on`, with its `value`
    and `source`. As `record_facts` in all else.
    """
    return _set(Score, [{"scope": "", **one} for one in scores], actor)


@transaction.atomic
def set_plan_targets(*, targets: Sequence[Values], actor: User | None) -> Taken:
    """Keep targets, each known by `partner_id`, `key` and `starts_on`, with `ends_on` and either `amount` and `currency`
    or `quantity`. The author of a new one is `actor`. As `record_facts` in all else.
    """
    held = there(targets, among=PlanTarget.objects.all(), key=IDENTITY[PlanTarget]) if targets else {}
    authored = [{**one, "author_id": _author(held, one, actor)} for one in targets]
    return _set(PlanTarget, authored, actor)


def _author(held: Mapping[Any, PlanTarget], target: Values, actor: User | None) -> int | None:
    known = held.get(tuple(target.get(name) for name in IDENTITY[PlanTarget]))
    if known is not None:
        return known.author_id
    return None if actor is None else actor.pk


@transaction.atomic
def save_fact(*, fact: Record | Score | PlanTarget, actor: User | None) -> None:
    """Keep what staff typed: a new fact, or a corrected one. Repeating changes nothing. Raises FactError."""
    if isinstance(fact, PlanTarget) and fact.pk is None:
        fact.author = actor
    values = {field.attname: getattr(fact, field.attname) for field in fact._meta.concrete_fields}
    if wrong := problems(type(fact), [values]):
        raise FactError(wrong)
    journal.save(row=fact, actor=actor, partner_id=fact.partner_id)


@transaction.atomic
def take_back(*, facts: models.QuerySet[Any], actor: User | None) -> int:
    """Delete facts that never were; the journal keeps what they said. The next night counts without them; what earlier
    nights measured stays. Returns how many.
    """
    rows = list(facts.select_for_update(of=("self",)))
    journal.record_many(
        journal.entry(
            verb=f"{one._meta.label_lower}.removed", subject=one, actor=actor, partner_id=one.partner_id,
            before={field.attname: as_json(getattr(one, field.attname)) for field in one._meta.concrete_fields},
        )
        for one in rows
    )  # fmt: skip
    facts.model._default_manager.filter(pk__in=[one.pk for one in rows]).delete()
    return len(rows)


def _set(model: type[models.Model], rows: Sequence[Values], actor: User | None) -> Taken:
    whole = [{**_empty(model), **row} for row in rows]
    if wrong := problems(model, whole):
        raise FactError(wrong)
    outcome = upsert(whole, into=model._default_manager.all(), key=IDENTITY[model])
    _tell(model, whole, outcome, actor)
    return Taken(len(outcome.added), len(outcome.changed), len(outcome.unchanged))


def _empty(model: type[models.Model]) -> dict[str, Any]:
    """What a row holds where nothing is said; whether it is made up is not for who sends it to say."""
    return {
        field.attname: field.get_default()
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in ("is_made_up", "author") and field.blank
    }


def _tell(model: type[models.Model], rows: Sequence[Values], outcome: Outcome, actor: User | None) -> None:
    key, label = IDENTITY[model], model._meta.label_lower
    by_key = {keyed(row, key): row for row in rows}
    new = [by_key[own] for own in outcome.added]
    made = there(new, among=model._default_manager.all(), key=key) if new else {}
    journal.record_many(
        [
            journal.entry(
                verb=f"{label}.created", subject=made[own], actor=actor, partner_id=made[own].partner_id,
                after={name: as_json(value) for name, value in by_key[own].items()},
            )
            for own in outcome.added
        ]
        + [
            journal.entry(
                verb=f"{label}.changed", subject=change.row, actor=actor,
                partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
            )
            for change in outcome.changed.values()
        ]
    )  # fmt: skip
