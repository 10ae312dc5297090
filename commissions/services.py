"""Every write of commissions that a person asks for. The night's own are in `earning` and `statements`."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from commissions.errors import PlanError, StatementIssuedError
from commissions.models import Plan, Rule, Statement
from commissions.tasks import mail_issued_statement
from common.texts import Texts
from journal import services as journal
from partners.models import Member, Partner
from partners.roles import Right, roles_that_may
from tiers.models import Program, Tier


@transaction.atomic
def publish_plan(
    *, program: Program, name: Mapping[str, str], starts_on: date, rates: Mapping[str, Decimal],
    ends_on: date | None = None, actor: User | None = None,
) -> Plan:  # fmt: skip
    """Pay sales from `starts_on` at these rates by tier code, as fractions of their net amount.

    Publishing what is already in force from that day changes nothing. Other rates from the same day are a new version
    that takes the place of the earlier one: the next night posts the differences.
    Raises PlanError for a rate outside 0 to 1 and for a tier that the program does not have.
    """
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    known = set(Tier.objects.filter(edition__program=program).values_list("code", flat=True))
    for code, rate in rates.items():
        if code not in known:
            raise PlanError(
                _("The plan pays tier “%(code)s”, which the program does not have; it has: %(known)s.")
                % {"code": code, "known": ", ".join(sorted(known))}
            )
        if not 0 <= rate <= 1 or rate != round(rate, 6):
            raise PlanError(
                _("The rate of tier “%(code)s” is %(rate)s; a rate is a fraction between 0 and 1, as 0.15 for 15%%.")
                % {"code": code, "rate": rate}
            )
    latest = Plan.objects.published().filter(program=program, starts_on=starts_on).order_by("-version").first()
    if latest is not None and latest.ends_on == ends_on and _rates(latest) == dict(rates):
        return latest
    version = (Plan.objects.filter(program=program).aggregate(Max("version"))["version__max"] or 0) + 1
    plan = Plan.objects.create(program=program, name=Texts(name), version=version, starts_on=starts_on, ends_on=ends_on)
    Rule.objects.bulk_create([Rule(plan=plan, tier_code=code, rate=rate) for code, rate in rates.items()])
    plan.state = Plan.State.PUBLISHED
    plan.save(update_fields=["state"])
    journal.record(
        verb="commissions.plan.published", subject=plan, actor=actor,
        before={code: str(rate) for code, rate in (_rates(latest) if latest else {}).items()},
        after={code: str(rate) for code, rate in rates.items()},
    )  # fmt: skip
    return plan


def _rates(plan: Plan) -> dict[str, Decimal]:
    return dict(plan.rules.values_list("tier_code", "rate"))


@transaction.atomic
def issue_statement(*, statement: Statement, actor: User | None = None) -> Statement:
    """Close a draft: from now on nothing of it changes. Repeating changes nothing.

    The partner's people who may see pay are mailed once it is committed; a mail that cannot be queued is logged.
    Raises StatementIssuedError where it is no longer the draft that was seen (its amount changed meanwhile).
    """
    # The night drafts under the partner's lock: a draft that is being filled is not issued half-way.
    Partner.objects.select_for_update(no_key=True).get(pk=statement.partner_id)
    locked = Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)
    if locked.state == Statement.State.ISSUED:
        return locked
    if locked.amount != statement.amount:
        raise StatementIssuedError(
            _("The draft changed while you looked at it: it comes to %(amount)s %(currency)s now. Look at it again.")
            % {"amount": locked.amount, "currency": locked.currency}
        )
    locked.state = Statement.State.ISSUED
    locked.save(update_fields=["state"])
    journal.record(
        verb="commissions.statement.issued", subject=locked, actor=actor, partner_id=locked.partner_id,
        after={"amount": str(locked.amount), "currency": locked.currency, "month": locked.starts_on.isoformat()},
    )  # fmt: skip
    for _partner, member_id in _readers([locked.partner_id]):
        transaction.on_commit(partial(mail_issued_statement.delay, locked.pk, member_id), robust=True)
    return locked


@transaction.atomic
def issue_statements(*, seen: Mapping[int, Decimal], actor: User | None = None) -> int:
    """Close drafts, given by key with the amount that was seen for each: all of them, or none where one changed since.

    A fixed number of queries. Repeating changes nothing. Returns how many were closed. Raises StatementIssuedError where
    a draft is gone or no longer comes to what was seen.
    """
    chosen = Statement.objects.filter(pk__in=seen)
    partners = Partner.objects.filter(pk__in=chosen.order_by().values("partner"))
    locked_partners = list(partners.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    locked = list(chosen.select_for_update(no_key=True).order_by("pk"))
    changed = [one for one in locked if one.state == Statement.State.DRAFT and one.amount != seen[one.pk]]
    if changed or len(locked) < len(seen):
        raise StatementIssuedError(
            _("Some of these drafts changed while you looked at them, so none was issued. Look at them again.")
        )
    drafts = [one for one in locked if one.state == Statement.State.DRAFT]
    Statement.objects.filter(pk__in=[one.pk for one in drafts]).update(state=Statement.State.ISSUED)
    journal.record_many(
        journal.entry(
            verb="commissions.statement.issued", subject=one, actor=actor, partner_id=one.partner_id,
            after={"amount": str(one.amount), "currency": one.currency, "month": one.starts_on.isoformat()},
        )
        for one in drafts
    )  # fmt: skip
    readers: dict[int, list[int]] = {}
    for partner_id, member_id in _readers(locked_partners):
        readers.setdefault(partner_id, []).append(member_id)
    for one in drafts:
        for member_id in readers.get(one.partner_id, ()):
            transaction.on_commit(partial(mail_issued_statement.delay, one.pk, member_id), robust=True)
    return len(drafts)


def _readers(partner_ids: Collection[int]) -> list[tuple[int, int]]:
    """The members with a login that may see their partner's pay: partner and member."""
    roles = roles_that_may(Right.SEE_PAY)
    people = Member.objects.filter(
        partner__in=partner_ids, role__in=roles, left_on__isnull=True, user__is_active=True
    )  # fmt: skip
    return list(people.order_by("pk").values_list("partner_id", "pk"))
