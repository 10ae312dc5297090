import pytest
from django.core import mail
from django.utils.translation import override

from leads import services
from tests.factories import make_portal_user
from tests.leads.facts import entered, make_world, registered, written


@pytest.mark.django_db(transaction=True)
def test_an_offer_is_told_to_who_may_work_it_in_their_language_without_the_prospects_details() -> None:
    world = make_world()
    world.person.language = "fr"
    world.person.save()
    make_portal_user(world.near, role="finance")
    lead = entered(world, company="Ville de Lyon")
    services.offer_lead(lead=lead, partner=world.near, actor=world.staff)
    [sent] = mail.outbox
    assert sent.to == [world.person.email]
    assert f"/portal/leads/{lead.pk}/" in sent.body
    for secret in ("Fantine", "fantine@prospect.example", "Ville de Lyon"):
        assert secret not in sent.subject + sent.body


@pytest.mark.django_db(transaction=True)
def test_a_prospect_gets_a_receipt_that_names_the_partner() -> None:
    world = make_world()
    with override("en"):
        written(world.near)
    receipt = next(one for one in mail.outbox if one.to == ["jean@prospect.example"])
    assert receipt.subject == "Cycles Dupont has your message"


@pytest.mark.django_db(transaction=True)
def test_a_refusal_tells_the_reason_to_who_registered_the_deal() -> None:
    world = make_world()
    deal = registered(world)
    services.refuse_deal(deal=deal, reason="Another partner has it", actor=world.staff)
    [sent] = mail.outbox
    assert sent.to == [world.person.email]
    assert "Another partner has it" in sent.body


@pytest.mark.django_db(transaction=True)
def test_nothing_is_mailed_for_made_up_leads() -> None:
    world = make_world()
    written(world.near, is_made_up=True)
    assert mail.outbox == []
