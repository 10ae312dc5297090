"""A small program with something of everything that the admin lists."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from accounts.models import User
from commissions import services as commissions
from commissions.models import Earning, Plan, Statement
from commissions.plan_documents import by_tier
from common.periods import add_months, program_today
from imports.models import Import
from journal import services as journal
from journal.notices import How
from leads.models import Deal, Lead, Offer, Product
from leads.sales import set_splits
from notifications.models import Delivery, Endpoint
from notifications.services import choose, save_endpoint
from notifications.telling import tell_people
from notifications.webhooks import queue_calls
from partners.models import Partner
from partners.services import sponsor
from tests.factories import (
    make_certificate,
    make_collection,
    make_location,
    make_member,
    make_partner,
    make_portal_user,
    make_program,
    make_sale,
    make_sales_edition,
    make_staff,
)
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers import night, services
from tiers.models import Benefit, Edition, Enrollment, Program, Run, TierBenefit


@dataclass(frozen=True, slots=True)
class World:
    staff: User
    program: Program
    edition: Edition
    partner: Partner
    enrollment: Enrollment
    plan: Plan
    run: Run
    deal: Deal
    lead: Lead

    @property
    def earning(self) -> Earning:
        return Earning.objects.filter(partner=self.partner).order_by("pk")[0]

    @property
    def statement(self) -> Statement:
        return Statement.objects.filter(partner=self.partner).order_by("pk")[0]


def make_world() -> World:
    """One enrolled partner with people, sales of last month (10% of 1,000.00), a night of today, leads and a deal."""
    staff, today = make_staff(), program_today()
    program = make_program(slug="resellers")
    edition = make_sales_edition(program)
    benefit = Benefit.objects.create(program=program, code="lead-sharing", name={"en": "Lead sharing"})
    for tier in edition.tiers.filter(rank__gte=2):
        TierBenefit.objects.create(tier=tier, benefit=benefit)
    kit = Benefit.objects.create(program=program, code="kit", kind="quantity", name={"en": "Kit"}, position=1)
    TierBenefit.objects.create(tier=edition.tiers.get(rank=1), benefit=kit, quantity=Decimal(5), per="month")
    services.publish_edition(edition=edition)
    edition.refresh_from_db()
    plan = commissions.publish_plan(
        program=program, name={"en": "Plan"}, starts_on=date(2016, 1, 1),
        definition=by_tier({"level-1": Decimal("0.10"), "level-2": Decimal("0.15")}),
    )  # fmt: skip
    partner = make_partner(name="Cycles Dupont", joined_on=today - timedelta(days=400))
    make_location(partner)
    enrollment = services.enroll(partner=partner, program=program, on=today - timedelta(days=400))
    make_certificate(make_member(partner, joined_on=today - timedelta(days=300)), awarded_on=today - timedelta(days=9))
    product = Product.objects.create(external_id="X1", code="X1", name={"en": "Bicycle"})
    sale = make_sale(partner, amount=Decimal("1000.00"), sold_on=add_months(today.replace(day=1), -1), product=product)
    make_collection(sale)
    set_splits(sale=sale, parts={partner.pk: 1}, actor=staff)
    services.use_benefit(enrollment=enrollment, code="kit", on=today, actor=staff)
    services.attest(enrollment=enrollment, kind="business-plan", title="Plan agreed", starts_on=today, author=staff)
    lead = Lead.objects.create(
        source=Lead.Source.STAFF, contact_name="Jean Valjean", contact_email="jean@example.com", company="Ville de Lyon",
        need="Thirty cargo bicycles.",
    )  # fmt: skip
    offered = Lead.objects.create(
        source=Lead.Source.PROFILE, contact_name="Cosette", contact_email="cosette@example.com", need="A bicycle.",
        partner=partner, status=Lead.Status.OFFERED,
    )  # fmt: skip
    Offer.objects.create(lead=offered, partner=partner, offered_by=staff)
    deal = Deal.objects.create(
        partner=partner, title="Thirty bicycles", customer_name="Ville de Bron", amount=Decimal("41000"), currency="USD",
        expected_on=today + timedelta(days=20),
    )  # fmt: skip
    Import.objects.create(
        kind="sales", file="imports/x.csv", file_name="sales.csv", mapping={"fields": {}}, state=Import.State.REFUSED,
        problems=[{"line": 7, "column": "Qty", "value": "-1", "reason": "is negative"}], created_by=staff,
    )  # fmt: skip
    for make in (make_record, make_score, make_award, make_target):
        make(partner)
    run = night.start(program=program, day=today)
    night.work(run.pk)
    run.refresh_from_db()
    return World(staff, program, edition, partner, enrollment, plan, run, deal, lead)


def told(partner: Partner, enrollment: Enrollment, staff: User) -> None:
    """A tier that was reached, told to one person of the partner and to a webhook; and what that person chose."""
    make_portal_user(partner)
    endpoint = Endpoint(name=f"CRM of {partner}", url="https://93.184.215.14/", verbs=["tiers.placement.changed"])
    save_endpoint(endpoint=endpoint, actor=staff)
    journal.record(
        verb="tiers.placement.changed", subject=enrollment, partner_id=partner.pk, before={"tier": "level-1"},
        after={"tier": "level-2", "on": "2026-03-01", "reason": "earned"},
    )  # fmt: skip
    tell_people()
    queue_calls()
    choose(user=Delivery.objects.latest("pk").user, choices={"tier": How.DAILY}, actor=None)


def more_rows(world: World, number: int) -> None:
    """`number` more partners with a row of everything a list may show."""
    today = program_today()
    for _one in range(number):
        partner = make_partner(joined_on=today - timedelta(days=400))
        make_location(partner)
        enrollment = services.enroll(partner=partner, program=world.program, on=today - timedelta(days=400))
        services.use_benefit(enrollment=enrollment, code="kit", on=today, actor=world.staff)
        services.attest(enrollment=enrollment, kind="audit", title="Audit", starts_on=today, author=world.staff)
        make_certificate(make_member(partner))
        make_collection(make_sale(partner, sold_on=add_months(today.replace(day=1), -1)))
        sponsor(partner=partner, sponsor=world.partner, starts_on=today)
        Lead.objects.create(
            source=Lead.Source.STAFF, contact_name="Fantine", contact_email="f@example.com", need="A bicycle.",
            partner=partner, status=Lead.Status.ACCEPTED,
        )  # fmt: skip
        Deal.objects.create(
            partner=partner, title="A deal", customer_name="A customer", amount=Decimal(10), currency="USD",
            expected_on=today,
        )  # fmt: skip
        Import.objects.create(kind="sales", file="imports/y.csv", file_name="y.csv", mapping={}, created_by=world.staff)
        for make in (make_record, make_score, make_award, make_target):
            make(partner)
        told(partner, enrollment, world.staff)
        Product.objects.create(external_id=f"P{partner.pk}", name={"en": "A product"})
    night.work(night.start(program=world.program, day=today).pk)
