"""What the portal's home tells of a partner's past names what it is about."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.periods import program_today
from leads import services
from leads.models import Deal, Lead
from partner_program import timeline
from partners.models import Partner
from tests.factories import make_partner, make_staff
from tests.leads.facts import written

pytestmark = pytest.mark.django_db


def says(partner: Partner) -> list[str]:
    return [event.says for event in timeline.of_partner(partner, [])]


def test_deals_and_leads_are_named() -> None:
    partner, staff = make_partner(), make_staff()
    lead = written(partner)
    Lead.objects.filter(pk=lead.pk).update(company="Ville de Lyon")
    services.accept_offer(offer=lead.offers.get(), actor=staff)
    deal = services.convert_lead(
        lead=lead, title="Thirty bicycles", amount=Decimal(100), currency="USD", expected_on=program_today(), actor=staff
    )  # fmt: skip
    services.approve_deal(deal=deal, actor=staff)
    assert says(partner) == [
        "The deal “Thirty bicycles” was approved.",
        "The lead of Ville de Lyon became a deal.",
        "You registered the deal “Thirty bicycles”.",
        "You accepted the lead of Ville de Lyon.",
        "Ville de Lyon wrote to you.",
    ]


def test_a_prospect_without_a_company_stays_unnamed() -> None:
    partner = make_partner()
    Lead.objects.filter(pk=written(partner).pk).update(company="", contact_name="Jean Valjean")
    assert says(partner) == ["A prospect wrote to you."]


def test_many_events_cost_two_queries() -> None:
    partner, staff = make_partner(), make_staff()
    for number in range(5):
        written(partner)
        services.register_deal(
            partner=partner, title=f"Deal {number}", customer_name="C", amount=Decimal(1), currency="USD",
            expected_on=program_today(), actor=staff,
        )  # fmt: skip
    assert Deal.objects.count() == 5
    with CaptureQueriesContext(connection) as captured:
        assert len(says(partner)) == 10
    assert len(captured) == 2
