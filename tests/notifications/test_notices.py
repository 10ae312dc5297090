"""Every notice there is: who is told, and under which title."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as site
from django.core import mail
from django.utils.translation import override

from commissions.models import Statement
from journal import notices
from journal import services as journal
from journal.models import Entry
from leads import services as leads
from notifications import mailing, wording
from notifications.models import Message
from points.models import Claim
from points.services import decide_claim, write_claim
from tests.factories import make_placement, make_portal_user, make_staff
from tests.leads.facts import entered, make_world, offer_of, registered, written
from tests.notifications.facts import deliver, enrolled, make_tiers, moved, people, plain, sent
from tests.points.facts import row, set_rows
from tiers import services as tiers
from tiers.awarding import give_awards
from tiers.models import Award, Enrollment, Grace, Placement

pytestmark = pytest.mark.django_db
ROLES = ("owner", "sales", "technical", "marketing", "finance")
TODAY = date(2026, 3, 1)
GAP = {
    "measure": "net-sales-12m", "name": {"en": "Net sales", "fr": "Chiffre d’affaires net"}, "unit": "amount",
    "missing": "12500", "threshold": "50000",
}  # fmt: skip


@pytest.fixture
def enrollment() -> Enrollment:
    return enrolled(make_tiers(), name="Cycles Dupont")


def tell(enrollment: Enrollment, verb: str, before: Any = None, **after: Any) -> Entry:
    return journal.record(
        verb=verb, subject=enrollment, partner_id=enrollment.partner_id, before=before or {}, after=after
    )


NIGHTS: dict[str, tuple[Callable[[Enrollment], object], str]] = {
    "reached": (lambda one: moved(one), "You reached Level 2"),
    "granted": (lambda one: moved(one, reason="granted"), "You were granted Level 2"),
    "lost": (lambda one: moved(one, "level-3", "level-1", reason="lost"), "You are in Level 1 now"),
    "ended": (lambda one: moved(one, "level-3", "level-1", reason="ended"), "You are in Level 1 now"),
    "benefits": (
        lambda one: tell(one, "tiers.benefits.changed", tier="level-2", on="2026-03-01", opens=["kit"]),
        "What Level 2 gives has changed",
    ),
    "grace": (
        lambda one: tell(one, "tiers.grace.started", tier="level-2", ends_on="2026-06-01"),
        "You keep Level 2 until 1 June 2026: here is what is missing",
    ),
    "warning": (
        lambda one: tell(one, "tiers.grace.warned", tier="level-2", ends_on="2026-06-01", days=30),
        "30 days left to keep Level 2",
    ),
    "kept": (lambda one: tell(one, "tiers.grace.closed", tier="level-2", outcome="kept"), "You keep Level 2"),
    "review": (
        lambda one: tell(one, "tiers.review.reminded", tier="level-2", on="2026-06-01", days=30, gaps=[GAP]),
        "Review of 1 June 2026: as things are, you would not keep Level 2",
    ),
    "grant ended": (
        lambda one: tell(one, "tiers.grant.ended", tier="level-3", until="2026-06-01"),
        "Your granted tier Level 3 ends on 1 June 2026",
    ),
    "left": (
        lambda one: tell(one, "tiers.enrollment.ended", {"tier": "level-1"}, on="2026-06-01", reason="deadline"),
        "Your time in the program “Program",
    ),
    "distinction won": (
        lambda one: tell(one, "tiers.award.earned", distinction="mountain"), "You hold the distinction “Mountain”"
    ),
    "distinction lost": (
        lambda one: tell(one, "tiers.award.ended", {"distinction": "mountain"}), "The distinction “Mountain” has ended"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NIGHTS)
def test_everybody_of_the_partner_is_told_what_a_night_decided(case: str, enrollment: Enrollment) -> None:
    happens, title = NIGHTS[case]
    own = people(enrollment.partner, *ROLES)
    make_staff()
    happens(enrollment)
    deliver()
    assert set(sent()) == {one.email for one in own.values()}
    assert {subject[: len(title)] for subjects in sent().values() for subject in subjects} == {title}


def test_a_lost_grace_is_told_by_the_loss_alone(enrollment: Enrollment) -> None:
    people(enrollment.partner, "owner")
    tell(enrollment, "tiers.grace.closed", tier="level-2", outcome="lost")
    tell(enrollment, "tiers.grace.closed", outcome="lifted")
    deliver()
    assert sent() == {}


@pytest.mark.parametrize("verb", ["tiers.grace.started", "tiers.grace.warned"])
def test_a_grace_says_until_when_and_what_is_missing(verb: str, enrollment: Enrollment, mailoutbox: list[Any]) -> None:
    person = people(enrollment.partner, "owner")["owner"]
    person.language = "fr"
    person.save()
    Grace.objects.create(
        enrollment=enrollment, tier_code="level-2", starts_on=TODAY, ends_on=date(2026, 6, 1), gaps=[GAP]
    )
    tell(enrollment, verb, tier="level-2", ends_on="2026-06-01", days=30)
    deliver()
    ((body),) = [plain(one.body) for one in mailoutbox]
    assert "1er juin 2026" in body
    assert "- Chiffre d’affaires net : 12 500 € sur 50 000 €" in body


def test_a_distinction_that_staff_give_is_told_and_one_held_elsewhere_is_not(enrollment: Enrollment) -> None:
    owner, staff = people(enrollment.partner, "owner")["owner"], make_staff()
    award = {"partner_id": enrollment.partner_id, "code": "mountain", "starts_on": TODAY}
    give_awards(awards=[award], origin=Award.Origin.GRANTED, actor=staff, reason="A fine year")
    give_awards(awards=[{**award, "external_id": "X1"}], origin=Award.Origin.IMPORTED, actor=staff)
    deliver()
    assert sent() == {owner.email: ["You hold the distinction “Mountain”"]}
    assert "The reason: A fine year" in mail.outbox[0].body


def test_a_tier_that_staff_grant_says_why_and_until_when(enrollment: Enrollment) -> None:
    edition = enrollment.program.editions.get()
    make_placement(enrollment, edition.tiers.get(rank=1))
    people(enrollment.partner, "owner")
    tiers.grant(
        enrollment=enrollment, tier=edition.tiers.get(rank=3), on=TODAY, note="Launch partner", actor=make_staff(),
        ends_on=date(2026, 9, 1),
    )  # fmt: skip
    deliver()
    (only,) = mail.outbox
    assert only.subject == "You were granted Level 3"
    assert "The reason: Launch partner" in only.body
    assert "It is yours until 1 September 2026; from then on, your results decide." in only.body
    assert Placement.objects.current().get().reason == "granted"


@pytest.mark.parametrize(
    ("points", "reason", "title"),
    [
        ("300", "", "Points granted: Open day"), ("200", "Two days", "Points granted in part: Open day"),
        ("0", "Nothing to see", "No points granted: Open day"),
    ],
)  # fmt: skip
def test_who_claimed_points_alone_is_told_what_was_decided(points: str, reason: str, title: str) -> None:
    world = make_world()
    make_portal_user(world.near)
    assert set_rows(world.program, row()) == []
    claim = write_claim(
        enrollment=Enrollment.objects.get(partner=world.near), rule=None, category="sites", title="Open day", text="",
        asked=Decimal(300), author=world.person, send=True,
    )  # fmt: skip
    deliver()
    mail.outbox.clear()
    decide_claim(claim=claim, points=Decimal(points), reason=reason, actor=world.staff)
    deliver()
    assert sent() == {world.person.email: [title]}
    assert reason in mail.outbox[0].body
    assert Claim.objects.count() == 1


def test_who_works_leads_is_told_of_an_offer_and_of_its_end_without_the_prospects_details() -> None:
    world = make_world()
    deliver()
    mail.outbox.clear()
    own = people(world.near, *ROLES)
    lead = entered(world, company="Ville de Lyon")
    leads.offer_lead(lead=lead, partner=world.near, actor=world.staff)
    leads.withdraw_offer(offer=offer_of(lead), reason="Fantine called", actor=world.staff)
    written(world.near)
    written(world.near, is_made_up=True)
    deliver()
    waits = "A lead waits for your answer at Adventure Works"
    assert {email: sorted(subjects) for email, subjects in sent().items()} == {
        email: sorted([waits, "A lead was taken back", waits])
        for email in (world.person.email, own["owner"].email, own["sales"].email)
    }
    stored = str(list(Message.objects.filter(notice__startswith="leads.").values("facts")))
    for secret in ("Fantine", "Jean", "Valjean", "prospect.example", "Ville de Lyon", "0600000000", "vélos"):
        assert secret not in stored
        assert all(secret not in one.body + one.subject for one in mail.outbox if "prospect.example" not in one.to[0])


def test_who_registered_a_deal_is_told_of_each_decision() -> None:
    world = make_world()
    make_portal_user(world.near)
    deliver()
    mail.outbox.clear()
    leads.approve_deal(deal=registered(world), actor=world.staff)
    leads.refuse_deal(deal=registered(world), reason="Another partner has it", actor=world.staff)
    deliver()
    assert sent() == {world.person.email: ["Approved: Thirty bicycles", "Not approved: Thirty bicycles"]}
    assert "Another partner has it" in mail.outbox[1].body


def test_statements_are_told_to_who_may_see_pay(enrollment: Enrollment) -> None:
    own = people(enrollment.partner, *ROLES)
    statement = Statement.objects.create(
        partner=enrollment.partner,
        starts_on=TODAY,
        ends_on=date(2026, 4, 1),
        currency="EUR",
        amount=Decimal("123.45"),
        total=Decimal("123.45"),
    )
    journal.record(
        verb="commissions.statement.issued", subject=statement, partner_id=enrollment.partner_id,
        after={"amount": "123.4500", "currency": "EUR", "month": "2026-03-01", "review_ends_on": "2026-04-10"},
    )  # fmt: skip
    deliver()
    assert set(sent()) == {own["owner"].email, own["finance"].email}
    assert f"/portal/statements/{statement.pk}/" in mail.outbox[0].body
    assert "Its review ends on 10 April 2026" in mail.outbox[0].body


@pytest.mark.parametrize("key", notices.NOTICES)
@pytest.mark.parametrize("language", [code for code, _name in site.LANGUAGES])
def test_the_sample_of_every_notice_reads_whole_in_every_language(key: str, language: str) -> None:
    notice = notices.NOTICES[key]
    with override(language):
        said = wording.worded(notice, notice.sample)
        text, html = mailing.sample_of(notice, said, name="Camille Martin")
    assert said.title
    assert "\n" not in said.title
    assert said.text
    assert said.path.startswith(("/portal/", "/admin/"))
    assert "\n\n\n" not in text
    for shown in (said.title, text, html):
        assert "None" not in shown
        assert "{{" not in shown


def test_every_verb_that_is_told_or_published_is_written_somewhere() -> None:
    """A verb that is misspelt here would be told to nobody, ever."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for app in ("commissions", "leads", "notifications", "points", "tiers")
        for path in (site.BASE_DIR / app).rglob("*.py")
        if path.name != "notices.py"
    )
    made = {f"points.claim.{state}" for state in Claim.State.values}  # the only verbs that are put together
    missing = [one for one in {*notices.verbs(), *notices.PUBLISHED} if f'"{one}"' not in code and one not in made]
    assert missing == []
