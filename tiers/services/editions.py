"""Editions of a program: drafts are written, checked and published; what is published never changes."""

from collections.abc import Mapping
from copy import copy
from datetime import date
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from tiers import checking, documents
from tiers.errors import EditionFrozenError, MeasureError, RuleError
from tiers.models import Benefit, Distinction, Edition, Measure, Program, Tier, TierBenefit


def check_edition(edition: Edition) -> None:
    """Raises RuleError, with every problem and its place, for an edition that could not be evaluated."""
    ranks = list(edition.tiers.order_by("rank").values_list("rank", flat=True))
    if not ranks or ranks != list(range(1, len(ranks) + 1)):
        raise RuleError(_("Edition “%(edition)s” needs tiers ranked 1, 2, 3… without a gap.") % {"edition": edition})
    problems = list(checking.problems(documents.edition(edition), edition.program.currency, ""))
    if problems:
        raise RuleError("\n".join(problems))


@transaction.atomic
def publish_edition(*, edition: Edition, actor: User | None = None) -> Edition:
    """Put a draft in force from its `starts_on`; from then on nothing of it changes. Repeating changes nothing.

    Raises RuleError where it could not be evaluated, EditionFrozenError where it is retired or another
    one is published from the same day.
    """
    locked = Edition.objects.select_for_update().get(pk=edition.pk)
    if locked.state == Edition.State.PUBLISHED:
        return locked
    same_day = Edition.objects.published().filter(program=locked.program_id, starts_on=locked.starts_on)
    if locked.state == Edition.State.RETIRED or same_day.exists():
        raise EditionFrozenError(
            _("An edition of this program is already published from %(day)s: choose another day.")
            % {"day": locked.starts_on}
        )
    check_edition(locked)
    locked.state, locked.published_as = Edition.State.PUBLISHED, uuid4()
    locked.save(update_fields=["state", "published_as"])
    journal.record(
        verb="tiers.edition.published", subject=locked, actor=actor,
        after={"program": locked.program.slug, "edition": locked.name, "starts_on": locked.starts_on.isoformat()},
    )  # fmt: skip
    return locked


# --- Drafts ---------------------------------------------------------------------------------------

Part = Edition | Tier | Distinction | Measure | TierBenefit


@transaction.atomic
def save_program(*, program: Program, actor: User | None = None) -> Program:
    """Keep a program's own texts and settings, a new one too. Repeating changes nothing."""
    journal.save(row=program, actor=actor)
    return program


@transaction.atomic
def save_benefit(*, benefit: Benefit, actor: User | None = None) -> Benefit:
    """Keep the words of what a program's tiers may give, of a new one too. Repeating changes nothing."""
    journal.save(row=benefit, actor=actor)
    return benefit


@transaction.atomic
def save_draft(*, part: Part, actor: User | None = None) -> None:
    """Keep an edition that is a draft, or a part of one. Repeating changes nothing.

    Raises EditionFrozenError where the edition is published.
    """
    lock_draft(part)
    journal.save(row=part, actor=actor)


@transaction.atomic
def remove_from_draft(*, part: Part, actor: User | None = None) -> None:
    """Take a part out of a draft, with what it holds. Raises EditionFrozenError where the edition is published,
    MeasureError for a measure that rules ask about."""
    lock_draft(part)
    if isinstance(part, Measure) and (asked := documents.asked_about(part)):
        raise MeasureError(
            _("“%(measure)s” is asked about by “%(other)s”: change that first.")
            % {"measure": part.name, "other": asked}
        )
    journal.record(verb=f"{part._meta.label_lower}.removed", subject=part, actor=actor, before={"name": str(part)})
    part.delete()


def lock_draft(part: Part) -> None:
    """Hold the edition of a part until the transaction ends. Raises EditionFrozenError where it is published."""
    edition_id = part.pk if isinstance(part, Edition) else _edition_id(part)
    edition = Edition.objects.select_for_update(no_key=True).filter(pk=edition_id).first()
    if edition is not None and edition.state != Edition.State.DRAFT:
        raise EditionFrozenError(
            _("“%(edition)s” is published and never changes. Copy it to a new draft instead.") % {"edition": edition}
        )


def _edition_id(part: Tier | Distinction | Measure | TierBenefit) -> int:
    return part.tier.edition_id if isinstance(part, TierBenefit) else part.edition_id


@transaction.atomic
def copy_edition(*, edition: Edition, name: str, starts_on: date, actor: User | None = None) -> Edition:
    """A new draft with the same life, tiers, benefits, distinctions and measures. A fixed number of queries.

    Raises EditionFrozenError where the program has an edition of that name.
    """
    if Edition.objects.filter(program=edition.program_id, name=name).exists():
        raise EditionFrozenError(_("There is an edition “%(name)s” already: choose another name.") % {"name": name})
    draft = Edition.objects.create(
        program_id=edition.program_id, name=name, starts_on=starts_on, notes=edition.notes, life=edition.life,
        country_groups=edition.country_groups, exchange=edition.exchange,
    )  # fmt: skip
    tiers = _copy(Tier.objects.filter(edition=edition), edition=draft)
    _copy(TierBenefit.objects.filter(tier__edition=edition), {"tier_id": tiers})
    _copy(Distinction.objects.filter(edition=edition), edition=draft)
    _copy(Measure.objects.filter(edition=edition), edition=draft)
    journal.record(
        verb="tiers.edition.copied", subject=draft, actor=actor,
        after={"program": edition.program.slug, "edition": name, "from": edition.name},
    )  # fmt: skip
    return draft


def _copy(rows: QuerySet[Any], renewed: Mapping[str, Mapping[Any, Any]] | None = None, **over: Any) -> dict[int, int]:
    """Copies of `rows`, with the keys in `renewed` exchanged by those mappings. Returns old keys with new ones."""
    originals = list(rows.order_by("pk"))
    copies = []
    for original in originals:
        copied = copy(original)
        copied.pk, copied._state = None, ModelState()
        for name, value in over.items():
            setattr(copied, name, value)
        for name, keys in (renewed or {}).items():
            setattr(copied, name, keys[getattr(original, name)])
        copies.append(copied)
    rows.model._default_manager.bulk_create(copies)
    return {old.pk: new.pk for old, new in zip(originals, copies, strict=True)}
