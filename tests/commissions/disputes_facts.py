"""A partner with statements, and what it questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from commissions import adjusters, lifecycle, services
from commissions.models import Dispute, Earning, Statement
from partners.models import Partner
from tests.factories import make_staff

D = Decimal


def issue_all() -> None:
    """Every draft, oldest first."""
    drafts = Statement.objects.filter(state="draft")
    services.issue_statements(seen=dict(drafts.values_list("pk", "total")))


def approve_all(actor: User | None = None) -> None:
    waiting = Statement.objects.filter(state="in_review")
    services.approve_statements(seen=dict(waiting.values_list("pk", "total")), actor=actor)


def pay_all(on: date) -> None:
    approved = list(Statement.objects.filter(state="approved").values_list("pk", flat=True))
    lifecycle.mark_paid(lifecycle.schedule(approved, actor=None), paid_on=on, actor=None, reference="BATCH-1")


def question(earning: Earning, actor: User, **over: Any) -> Dispute:
    return services.open_dispute(
        earning=earning, actor=actor, **{"category": "rate", "text": "Gold, not Silver", **over}
    )


def line_of(partner: Partner, amount: str) -> Earning:
    return Earning.objects.get(partner=partner, amount=D(amount))


@contextmanager
def posting_adjustments() -> Iterator[list[dict[str, Any]]]:
    """Something that posts what disputes are granted, as a line beside the disputed one; what it was asked for."""
    asked: list[dict[str, Any]] = []

    def post(**terms: Any) -> Earning:
        asked.append(terms)
        about = terms["about_earning"]
        line = Earning.objects.get(pk=about.pk)
        line.pk, line.number, line.event, line.fact, line.sale, line.terms = (
            None,
            len(asked),
            "manual",
            about.pk,
            None,
            None,
        )
        line.kind, line.before, line.amount = "adjustment", 0, terms["amount"]
        line.earned_on = line.terms_on = line.available_on = terms["earned_on"]
        line.save(force_insert=True)
        return line

    adjusters.register_adjuster(post)
    try:
        yield asked
    finally:
        adjusters._posts.remove(post)


def answerer() -> User:
    return make_staff()
