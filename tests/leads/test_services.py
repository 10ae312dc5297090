from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from time_machine import travel

from common.errors import ProgramError
from journal.models import Entry
from leads import services
from leads.errors import DealMovedError, LeadMovedError, NotShareableError, ReasonMissingError
from leads.models import Deal, Lead, Offer, Sale
from tests.leads.facts import TODAY, World, accepted, approved, entered, make_world, offer_of, registered, written


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        yield


@pytest.mark.django_db
def test_a_prospect_who_writes_to_a_partner_is_offered_to_it_whatever_its_tier() -> None:
    world = make_world()
    lead = written(world.low)
    assert (lead.status, lead.partner, lead.consent_text) == ("offered", world.low, "I agree.")
    assert lead.consent_at is not None
    assert Offer.objects.get().partner == world.low
    assert Entry.objects.get(verb="leads.lead.captured").partner_id == world.low.pk


@pytest.mark.django_db
def test_staff_give_a_lead_only_to_a_partner_whose_tier_shares_leads() -> None:
    world = make_world()
    lead = entered(world)
    with pytest.raises(NotShareableError, match="Level 2, Level 3"):
        services.offer_lead(lead=lead, partner=world.low, actor=world.staff)
    assert not Offer.objects.exists()
    offer = services.offer_lead(lead=lead, partner=world.near, actor=world.staff)
    assert services.offer_lead(lead=lead, partner=world.near, actor=world.staff) == offer
    lead.refresh_from_db()
    assert (lead.status, lead.partner) == ("offered", world.near)
    with pytest.raises(LeadMovedError, match="Cycles Dupont"):
        services.offer_lead(lead=lead, partner=world.low, actor=world.staff)


@pytest.mark.django_db
def test_a_declined_lead_goes_back_to_staff_with_the_reason() -> None:
    world = make_world()
    lead = written(world.near)
    with pytest.raises(ReasonMissingError):
        services.decline_offer(offer=offer_of(lead), reason="  ", actor=world.person)
    services.decline_offer(offer=offer_of(lead), reason="Too far away", actor=world.person)
    lead.refresh_from_db()
    assert (lead.status, lead.partner) == ("new", None)
    offer = offer_of(lead)
    assert (offer.answer, offer.reason, offer.answered_by) == ("declined", "Too far away", world.person)
    entry = Entry.objects.get(verb="leads.lead.declined")
    assert (entry.partner_id, entry.after["note"]) == (world.near.pk, "Too far away")
    with pytest.raises(LeadMovedError, match="declined"):
        services.accept_offer(offer=offer, actor=world.person)


@pytest.mark.django_db
def test_accepting_twice_changes_nothing() -> None:
    world = make_world()
    lead = written(world.near)
    services.accept_offer(offer=offer_of(lead), actor=world.person)
    services.accept_offer(offer=offer_of(lead), actor=world.person)
    assert Entry.objects.filter(verb="leads.lead.accepted").count() == 1


@pytest.mark.django_db
def test_an_offer_taken_back_can_no_longer_be_accepted() -> None:
    world = make_world()
    offer = services.offer_lead(lead=entered(world), partner=world.near, actor=world.staff)
    services.withdraw_offer(offer=offer, reason="Wrong region", actor=world.staff)
    with pytest.raises(LeadMovedError):
        services.accept_offer(offer=offer, actor=world.person)
    assert Lead.objects.get().status == "new"


@pytest.mark.django_db
def test_a_lead_becomes_one_deal() -> None:
    world = make_world()
    lead = accepted(world)
    fields = {"title": "Thirty", "amount": Decimal("100"), "currency": "EUR", "expected_on": TODAY}
    deal = services.convert_lead(lead=lead, actor=world.person, **fields)
    assert (deal.status, deal.customer_name, deal.partner, deal.lead) == (
        "submitted",
        "Ville de Lyon",
        world.near,
        lead,
    )
    assert services.convert_lead(lead=lead, actor=world.person, **fields) == deal
    assert Lead.objects.get().status == "converted"


@pytest.mark.django_db
def test_a_won_deal_is_one_sale_of_its_day() -> None:
    world = make_world()
    deal = approved(world)
    sale = services.win_deal(deal=deal, closed_on=date(2026, 11, 20), actor=world.person)
    assert services.win_deal(deal=deal, closed_on=date(2026, 11, 20), actor=world.person) == sale
    sale = Sale.objects.get()
    assert (sale.amount, sale.currency, sale.sold_on, sale.partner) == (
        Decimal("41000.50"), "EUR", date(2026, 11, 20), world.near,
    )  # fmt: skip
    assert sale.external_id == f"deal-{deal.pk}"
    assert Deal.objects.get().status == "won"


@pytest.mark.django_db
def test_a_deal_is_not_won_tomorrow() -> None:
    world = make_world()
    with pytest.raises(DealMovedError, match="has come"):
        services.win_deal(deal=approved(world), closed_on=date(2026, 11, 25), actor=world.person)
    assert not Sale.objects.exists()


Move = Callable[[World, Deal], Any]
APPROVE: Move = lambda world, deal: services.approve_deal(deal=deal, actor=world.staff)  # noqa: E731
REFUSE: Move = lambda world, deal: services.refuse_deal(deal=deal, reason="No", actor=world.staff)  # noqa: E731
WIN: Move = lambda world, deal: services.win_deal(deal=deal, closed_on=TODAY, actor=world.person)  # noqa: E731
LOSE: Move = lambda world, deal: services.lose_deal(  # noqa: E731
    deal=deal, reason="Price", closed_on=TODAY, actor=world.person
)
STATES: dict[str, tuple[Move, ...]] = {
    "submitted": (), "approved": (APPROVE,), "refused": (REFUSE,), "won": (APPROVE, WIN), "lost": (LOSE,),
}  # fmt: skip
ALLOWED = {
    ("submitted", "approved"), ("submitted", "refused"), ("submitted", "lost"), ("approved", "won"),
    ("approved", "lost"),
}  # fmt: skip
MOVES = {"approved": APPROVE, "refused": REFUSE, "won": WIN, "lost": LOSE}


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("target", MOVES)
def test_a_deal_moves_only_as_it_may(state: str, target: str) -> None:
    world = make_world()
    deal = registered(world)
    for move in STATES[state]:
        move(world, deal)
    entries = Entry.objects.count()
    if state == target or (state, target) in ALLOWED:
        MOVES[target](world, deal)
        assert Deal.objects.get().status == target
        assert (Entry.objects.count() == entries) == (state == target)
    else:
        with pytest.raises(DealMovedError):
            MOVES[target](world, deal)
        assert Deal.objects.get().status == state
        assert Entry.objects.count() == entries


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_of_two_people_who_answer_at_once_one_is_refused() -> None:
    world = make_world()
    lead = written(world.near)
    offer, start, outcomes = offer_of(lead), Barrier(2), []

    def answer(ask: Callable[[], Any]) -> None:
        try:
            start.wait(5)
            ask()
            outcomes.append("done")
        except ProgramError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [
        Thread(target=answer, args=[lambda: services.accept_offer(offer=offer, actor=world.person)]),
        Thread(target=answer, args=[lambda: services.decline_offer(offer=offer, reason="No", actor=world.person)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["done", "lead_moved"]
    lead.refresh_from_db()
    assert (lead.status, offer_of(lead).answer) in {("accepted", "accepted"), ("new", "declined")}
