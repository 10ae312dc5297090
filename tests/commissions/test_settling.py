"""What a night looks at when days, partners, rates and sponsors change late: nothing is paid twice, nothing is forgotten."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from commissions.models import Earning, Unpaid
from leads.models import Collection, Sale
from rates.models import Rate
from tests.commissions.plan_world import PlanWorld

pytestmark = pytest.mark.django_db
D = Decimal
NIGHT, LATER = date(2026, 4, 2), date(2026, 5, 2)
MARCH = {day: date(2026, 3, day) for day in range(1, 32)}


def plan(*rules: dict[str, Any], **over: Any) -> dict[str, Any]:
    name = {"en": "Rule", "fr": "Règle"}
    return {
        "rules": [
            {"code": f"rule-{number}", "name": name, "pays": "share", **rule} for number, rule in enumerate(rules)
        ],
        **over,
    }


SHARE = plan({"event": "sale", "rate": {"level-1": "0.1", "level-2": "0.2"}})


def lines() -> list[tuple[str, str, str]]:
    """Kind, amount and currency, as they were posted."""
    return [(one.kind, f"{one.amount:.2f}", one.currency) for one in Earning.objects.order_by("pk")]


def test_a_sale_that_moved_to_a_later_day_and_earned_the_same_is_paid_once() -> None:
    world = PlanWorld(SHARE)
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    Sale.objects.update(sold_on=MARCH[20])
    world.night(NIGHT)
    world.place(0, "level-2", MARCH[15])  # looked at since the 15th, though its line is of the 10th
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("adjustment", "10.00", "USD")]


def test_a_sale_that_moved_to_an_earlier_day_and_earned_the_same_keeps_its_line() -> None:
    world = PlanWorld(SHARE)
    world.sell(0, MARCH[20], D(100), "USD")
    world.night(NIGHT)
    Sale.objects.update(sold_on=MARCH[10])
    world.night(NIGHT)
    world.sell(0, MARCH[15], D(50), "USD")  # looked at since the 15th, though the first line is of the 20th
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("accrual", "5.00", "USD")]


def test_a_sale_that_moved_and_then_went_to_another_partner_is_taken_back() -> None:
    world = PlanWorld(SHARE)
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    Sale.objects.update(sold_on=MARCH[20])
    world.night(NIGHT)
    Sale.objects.update(partner=world.partners[1])
    world.night(NIGHT)
    assert sorted(lines()) == [("accrual", "10.00", "USD"), ("accrual", "10.00", "USD"), ("reversal", "-10.00", "USD")]


def test_a_record_that_moved_and_was_deleted_is_taken_back() -> None:
    world = PlanWorld(plan({"event": "activity", "pays": "fixed", "rate": "5"}, currency="USD"))
    world.record(0, MARCH[10], None, "USD", None, "")
    world.night(NIGHT)
    world.change_record(0, MARCH[20])
    world.night(NIGHT)
    world.unrecord(0)
    world.night(NIGHT)
    assert lines() == [("accrual", "5.00", "USD"), ("reversal", "-5.00", "USD")]


def test_an_earlier_night_forgets_nothing_of_later_days() -> None:
    world = PlanWorld(plan({"event": "collection", "rate": "0.1"}))
    world.sell(0, MARCH[1], D(100), "USD")
    world.collect(0, 24, D(100))  # the 25th
    world.night(NIGHT)
    Collection.objects.update(amount=D(80))
    world.earlier_night(MARCH[20])
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("adjustment", "-2.00", "USD")]


def test_an_earlier_night_leaves_what_moved_beyond_it() -> None:
    world = PlanWorld(SHARE)
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(MARCH[20])
    Sale.objects.update(sold_on=MARCH[25], amount=D(150))
    world.night(NIGHT)
    world.sell(0, MARCH[5], D(10), "USD")
    world.earlier_night(MARCH[20])
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("adjustment", "5.00", "USD"), ("accrual", "1.00", "USD")]


def test_a_deposit_waits_for_the_day_of_its_sale() -> None:
    world = PlanWorld(plan({"event": "collection", "rate": "0.1"}))
    world.sell(0, MARCH[25], D(100), "USD")
    world.collect(0, -20, D(40))
    world.night(MARCH[20])
    assert lines() == []
    world.night(NIGHT)
    assert lines() == [("accrual", "4.00", "USD")]


def test_a_rate_that_one_rule_lacks_is_waited_for_while_another_pays() -> None:
    world = PlanWorld(
        plan(
            {"event": "sale", "rate": "0.1"},
            {"event": "sale", "adds": True, "pays": "fixed", "rate": "50"},
            currency="EUR",
        )
    )
    world.pay_in(0, "USD", date(2026, 1, 1))
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD")]
    assert Unpaid.objects.get().terms.reason == "no_exchange_rate"
    world.quote("USD", MARCH[9], "1.2")
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("bonus", "60.00", "USD")]
    assert not Unpaid.objects.exists()


def test_a_sponsor_is_paid_in_its_own_currency() -> None:
    world = PlanWorld(
        plan({"event": "sale", "rate": "0.1"}, {"event": "sale", "to": "sponsor", "base": "earned", "rate": "0.5"})
    )
    world.quote("USD", MARCH[9], "1.25")
    world.sponsor(0, 1, date(2026, 1, 1))
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    world.pay_in(1, "EUR", MARCH[1])
    world.night(NIGHT)
    assert lines() == [
        ("accrual", "10.00", "USD"),
        ("accrual", "5.00", "USD"),
        ("adjustment", "4.00", "EUR"),
        ("reversal", "-5.00", "USD"),
    ]


def test_a_sponsor_that_left_earns_nothing_for_those_it_sponsors() -> None:
    world = PlanWorld(plan({"event": "sale", "rate": "0.1"}, {"event": "sale", "to": "sponsor", "rate": "0.02"}))
    world.sponsor(0, 1, date(2026, 1, 1))
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    world.leave(1, MARCH[5])
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("accrual", "2.00", "USD"), ("reversal", "-2.00", "USD")]


def test_a_payout_currency_counts_by_the_day_money_came_in_also_for_earlier_sales() -> None:
    world = PlanWorld(plan({"event": "collection", "rate": "0.1"}))
    world.quote("USD", MARCH[9], "1.25")
    world.sell(0, date(2026, 2, 20), D(100), "USD")
    world.collect(0, 18, D(100))  # 10 March
    world.night(NIGHT)
    world.pay_in(0, "EUR", MARCH[1])
    world.night(NIGHT)
    assert lines() == [("accrual", "10.00", "USD"), ("adjustment", "8.00", "EUR"), ("reversal", "-10.00", "USD")]


def test_a_rate_that_stands_on_a_line_is_kept() -> None:
    world = PlanWorld(SHARE)
    world.pay_in(0, "EUR", date(2026, 1, 1))
    world.quote("USD", MARCH[9], "1.25")
    world.sell(0, MARCH[10], D(100), "USD")
    world.night(NIGHT)
    Rate.objects.create(source_id="ecb", base="EUR", quote="USD", on=MARCH[9], version=2, value=D("1.5"))
    Sale.objects.update(amount=D(50))
    world.night(NIGHT)
    assert lines() == [("accrual", "8.00", "EUR"), ("adjustment", "-4.00", "EUR")]


def test_rules_ask_for_traits_of_the_partner() -> None:
    when = [{"field": "trait:segment", "is": "equal", "value": "smb"}]
    world = PlanWorld(plan({"event": "sale", "rate": "0.1", "when": when}))
    world.sell(0, MARCH[10], D(100), "USD")
    world.sell(1, MARCH[10], D(200), "USD")
    world.night(NIGHT)
    assert lines() == [("accrual", "20.00", "USD")]
    world.label(0, "smb")
    world.night(NIGHT)
    assert lines() == [("accrual", "20.00", "USD"), ("accrual", "10.00", "USD")]


def test_a_lead_whose_country_is_corrected_is_looked_at() -> None:
    when = [{"field": "lead_country", "value": "FR"}]
    world = PlanWorld(plan({"event": "lead_accepted", "pays": "fixed", "rate": "5", "when": when}, currency="USD"))
    world.accept(0, MARCH[10], "staff", "BE")
    world.night(NIGHT)
    world.change_lead(0, "FR")
    world.night(NIGHT)
    assert lines() == [("accrual", "5.00", "USD")]


def test_a_certificate_from_before_its_holder_joined_is_looked_at() -> None:
    when = [{"field": "job", "value": "technical"}]
    world = PlanWorld(plan({"event": "certification", "pays": "fixed", "rate": "5", "when": when}, currency="USD"))
    world.award(0, date(2025, 12, 1), 0)  # joined on 2026-01-01
    world.night(NIGHT)
    world.change_job(0, "technical")
    world.night(NIGHT)
    assert lines() == [("accrual", "5.00", "USD")]


def test_a_target_of_pieces_need_not_be_whole() -> None:
    bands = {"over": "target", "target": "pieces", "steps": [{"from": "0", "rate": "1"}, {"from": "1", "rate": "3"}]}
    world = PlanWorld(plan({"event": "sale", "pays": "unit", "bands": bands}, currency="USD"))
    world.target(0, "pieces", MARCH[1], 31, None, "", D("2.5"))
    world.sell(0, MARCH[10], D(100), "USD", quantity=4)
    world.night(NIGHT)
    assert lines() == [("accrual", "7.00", "USD")]  # 2.5 at 1, 1.5 at 3


def test_a_refund_lowers_a_total_at_the_exchange_rate_of_its_sale() -> None:
    bands = {"over": "quarter", "steps": [{"from": "0", "rate": "0.1"}, {"from": "100", "rate": "0.2"}]}
    world = PlanWorld(plan({"event": "sale", "bands": bands}, currency="EUR"))
    world.quote("USD", MARCH[1], "1.25")
    world.sell(0, MARCH[1], D(125), "USD")
    world.sell(0, MARCH[28], D(50), "EUR")
    sale = Sale.objects.get(currency="USD")
    world.sell(0, MARCH[20], D("-62.50"), "USD", refund_of=sale)  # no rate is known on its own day
    world.night(NIGHT)
    # 100 EUR at 10%; half of it back; 50 EUR on top of the other 50, so at 10%
    assert sorted(lines()) == [("accrual", "-5.00", "EUR"), ("accrual", "10.00", "EUR"), ("accrual", "5.00", "EUR")]


def test_a_lead_that_was_approved_before_it_was_entered_is_looked_at() -> None:
    """Deals come from other systems with their own days."""
    world = PlanWorld(plan({"event": "lead_qualified", "pays": "fixed", "rate": "5"}, currency="USD"))
    world.night(NIGHT)
    world.deal(0, MARCH[20], D(100), "USD", of_lead=True, won=False, sourced="")
    world.night(NIGHT)
    assert lines() == [("accrual", "5.00", "USD")]
