"""Every write of points that a person asks for. The night's own are in `granting`."""

from datetime import date
from decimal import Decimal

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common import documents as files
from common.money import PLACES
from common.periods import program_today
from common.templatetags.show import exact
from common.texts import Texts
from journal import services as journal
from points import documents, table
from points.documents import RowAsked
from points.errors import AdjustmentError, ClaimError, PointTableChangedError, PointTableError
from points.models import Claim, PointEntry, PointRule
from tiers.models import Enrollment, Program

# --- The table ------------------------------------------------------------------------------------


@transaction.atomic
def set_point_rules(
    *, program: Program, rows: list[RowAsked], seen: str | None = None, actor: User | None = None
) -> None:
    """Make the program's points table that of `rows`, in their order. Repeating changes nothing.

    `seen` is the fingerprint of the table that `rows` were made from: PointTableChangedError where it is another by now.
    Raises PointTableError, with every problem at its place, for rows that would rewrite what was granted.
    """
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    before = documents.rows(program)
    if seen is not None and documents.fingerprint(before) != seen:
        raise PointTableChangedError(
            _("Somebody changed this table meanwhile. Load the page again; what you typed stays here until then.")
        )
    kept = table.granted(program)
    if problems := list(table.history_problems(kept, rows)):
        raise PointTableError(problems)
    known = {(rule.code, rule.starts_on): rule for rule in kept}
    for key in known.keys() - {(row.code, row.starts_on) for row in rows}:
        known[key].delete()
    for position, row in enumerate(rows):
        rule = known.get((row.code, row.starts_on))
        _keep_row(rule or PointRule(program=program, code=row.code, starts_on=row.starts_on), row, position)
    after = documents.rows(program)
    if before != after:
        journal.record(
            verb="points.table.set", subject=program, actor=actor, before={"rows": before}, after={"rows": after}
        )


def _keep_row(rule: PointRule, row: RowAsked, position: int) -> None:
    was = (rule.pk, rule.position, rule.name, rule.category, rule.ends_on, rule.terms, rule.takes_claims)
    now = (rule.pk, position, Texts(row.name), row.category, row.ends_on, row.terms, row.takes_claims)
    if rule.pk and was == now:
        return
    _pk, rule.position, rule.name, rule.category, rule.ends_on, terms, rule.takes_claims = now
    if rule.terms != terms:  # as text, the same terms may stand in another order: what is frozen is left as it stands
        rule.terms = terms
    rule.save()


# --- Adjustments ----------------------------------------------------------------------------------


@transaction.atomic
def adjust_points(
    *, enrollment: Enrollment, points: Decimal, category: str, reason: str, author: User,
    granted_on: date | None = None, expires_on: date | None = None,
) -> PointEntry:  # fmt: skip
    """Post points, or take some back, by hand: of today, or of `granted_on`. Repeating posts again.

    They count from the day after. Raises AdjustmentError for no points, more than four decimals, no reason, a day to
    come, or an end before the start.
    """
    day = granted_on or program_today()
    if not points or points != round(points, PLACES):
        raise AdjustmentError(_("An adjustment adds or takes points, with four decimals at most."))
    if not reason.strip():
        raise AdjustmentError(_("Say why: whoever reads the ledger later asks."))
    if day > program_today():
        raise AdjustmentError(_("Points are granted on a day that has come."))
    if expires_on is not None and expires_on <= day:
        raise AdjustmentError(_("Points expire after the day they are granted on."))
    entry = PointEntry.objects.create(
        enrollment=enrollment, kind=PointEntry.Kind.ADJUSTMENT, category=category, points=points, granted_on=day,
        expires_on=expires_on, reason=reason.strip(), author=author, created_at=timezone.now(),
    )  # fmt: skip
    journal.record(
        verb="points.adjusted", subject=entry, actor=author, partner_id=enrollment.partner_id,
        after={"points": str(points), "category": category, "reason": reason.strip()},
    )  # fmt: skip
    return entry


# --- Claims ---------------------------------------------------------------------------------------


@transaction.atomic
def write_claim(
    *, enrollment: Enrollment, rule: PointRule | None, category: str, title: str, text: str, asked: Decimal,
    author: User, document: File | None = None, claim: Claim | None = None, send: bool = False,
) -> Claim:  # fmt: skip
    """Write a claim, or another version of a draft; `send` it to staff too. A document given takes an earlier one's place.

    Raises ClaimError where it is no longer a draft, asks for nothing, or names a row that is not the program's or takes
    no claims; DocumentError for a document that is not taken. Then nothing is written.
    """
    if claim is not None:
        claim = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
        if claim.state != Claim.State.DRAFT:
            raise ClaimError(_("This claim was sent already; it can no longer be changed."))
    if rule is not None and rule.program_id != enrollment.program_id:
        raise ClaimError(_("That row is of another program."))
    if rule is not None and not rule.takes_claims:
        raise ClaimError(_("No claims are taken for “%(row)s”.") % {"row": rule})
    if asked <= 0 or asked != round(asked, PLACES):
        raise ClaimError(_("Ask for points above nothing, with four decimals at most."))
    if not (rule or category):
        raise ClaimError(_("Say what the points are for: one row of the table, or a category."))
    claim = claim or Claim(enrollment=enrollment, author=author)
    claim.rule, claim.category = rule, rule.category if rule else category
    claim.title, claim.text, claim.asked = title, text, asked
    if document is not None:
        name = files.checked(document)
        if claim.document:
            old, storage = str(claim.document.name), claim.document.storage
            transaction.on_commit(lambda: storage.delete(old), robust=True)
        claim.document, claim.document_name = document, name
    if send:
        claim.state, claim.submitted_at = Claim.State.SUBMITTED, timezone.now()
    claim.save()
    journal.record(
        verb="points.claim.submitted" if send else "points.claim.written", subject=claim, actor=author,
        partner_id=enrollment.partner_id, after={"title": title, "asked": str(asked), "category": claim.category},
    )  # fmt: skip
    return claim


@transaction.atomic
def decide_claim(*, claim: Claim, points: Decimal, reason: str, actor: User) -> Claim:
    """Grant what was asked for, fewer (a reason is needed), or none (0, and a reason). Posts a line unless it is none.

    A row's claim expires as the row's grants do, counted from today. Raises ClaimError where the claim does not wait (any
    more), for more than was asked, and for a missing reason; then nothing is written.
    """
    locked = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    if locked.state != Claim.State.SUBMITTED:
        raise ClaimError(_("This claim does not wait for a decision: it is %(state)s.") % {"state": locked.get_state_display().lower()})  # fmt: skip
    if not 0 <= points <= locked.asked or points != round(points, PLACES):
        raise ClaimError(_("Grant between nothing and the %(asked)s points asked for.") % {"asked": exact(locked.asked)})  # fmt: skip
    if points < locked.asked and not reason.strip():
        raise ClaimError(_("Say why it is not all: the partner reads it."))
    locked.reason, locked.decided_by, locked.decided_at = reason.strip(), actor, timezone.now()
    locked.state = Claim.State.REFUSED
    if points:
        locked.state = Claim.State.APPROVED if points == locked.asked else Claim.State.PARTLY
        today = program_today()
        locked.entry = PointEntry.objects.create(
            enrollment_id=locked.enrollment_id, rule=locked.rule, kind=PointEntry.Kind.CLAIM, category=locked.category,
            source=locked.rule.code if locked.rule else "", dataset="claims", fact=str(locked.pk), units=1, points=points,
            granted_on=today, expires_on=locked.rule.read().expires_on(today) if locked.rule else None,
            reason=reason.strip(), author=actor, created_at=timezone.now(),
            explanation={"asked": format(locked.asked.normalize(), "f"), "due": format(points.normalize(), "f")},
        )  # fmt: skip
    locked.save()
    journal.record(
        verb=f"points.claim.{locked.state}", subject=locked, actor=actor, partner_id=locked.enrollment.partner_id,
        after={"points": str(points), "reason": reason.strip()},
    )  # fmt: skip
    return locked
