"""What measures read of records, scores, targets, awards, tiers and customers, each at the edges of its days."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, Sum

from partners.models import Partner
from records.datasets import attribute
from records.models import PlanTarget, Record, Score
from tests.factories import make_edition, make_enrollment, make_partner, make_placement, make_program, make_sale
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers.datasets import field_of, get
from tiers.models import Award, Placement

DAY = date(2026, 6, 1)
EVE = DAY - timedelta(days=1)
NEXT = DAY + timedelta(days=1)

pytestmark = pytest.mark.django_db


def rows(key: str, partner: Partner, day: date = DAY) -> Any:
    dataset = get(key)
    return dataset.rows(day).filter(**{dataset.partner: partner.pk})


def values(key: str, partner: Partner, *fields: str, day: date = DAY) -> list[Any]:
    """What the rows hold in `fields`, read by the dataset's own paths."""
    dataset = get(key)
    named = {f"f{place}": F(field_of(dataset, name).path) for place, name in enumerate(fields)}
    found = [tuple(row[name] for name in named) for row in rows(key, partner, day).values(**named)]
    return sorted(one[0] if len(one) == 1 else one for one in found)


# --- records ----------------------------------------------------------------------------------------


@pytest.fixture
def partner() -> Partner:
    return make_partner()


def test_a_record_stands_from_its_start_up_to_its_end(partner: Partner) -> None:
    for name, starts_on, ends_on in [
        ("before", date(2026, 1, 1), DAY),
        ("last day", date(2026, 1, 1), NEXT),
        ("open", date(2026, 1, 1), None),
        ("first day", DAY, None),
        ("to come", NEXT, None),
    ]:
        make_record(partner, name=name, occurred_on=date(2025, 1, 1), starts_on=starts_on, ends_on=ends_on)
    assert values("live_records", partner, "name") == ["first day", "last day", "open"]
    assert values("records", partner, "name", "is_live") == [
        ("before", False), ("first day", True), ("last day", True), ("open", True), ("to come", False),
    ]  # fmt: skip


def test_a_record_without_a_start_stands_from_the_day_it_occurred(partner: Partner) -> None:
    for name, occurred_on in [("eve", EVE), ("day", DAY), ("next", NEXT)]:
        make_record(partner, name=name, occurred_on=occurred_on)
    assert values("live_records", partner, "name") == ["day", "eve"]
    assert values("records", partner, "name", "is_live") == [("day", True), ("eve", True), ("next", False)]
    assert rows("records", partner).filter(is_live=False).get().name == "next"


def test_amounts_and_quantities_add_up_exactly(partner: Partner) -> None:
    for amount, quantity in [("0.1", "0.0001"), ("0.2", "1000.5"), ("1000000000000.0001", None)]:
        make_record(partner, amount=Decimal(amount), currency="EUR", quantity=quantity and Decimal(quantity))
    summed = rows("records", partner).aggregate(amount=Sum("amount"), quantity=Sum("quantity"))
    assert summed == {"amount": Decimal("1000000000000.3001"), "quantity": Decimal("1000.5001")}


def test_attributes_are_filtered_counted_and_grouped_as_texts(partner: Partner) -> None:
    for held in [{"product": "crm"}, {"product": "crm", "role": "lead"}, {"product": "true"}, {"role": "7"}, {}]:
        make_record(partner, attributes=held)
    path = field_of(get("records"), "attr:product").path
    own = rows("records", partner)
    assert own.filter(**{path: "crm"}).count() == 2
    assert own.filter(**{f"{path}__in": ["true", "nothing"]}).count() == 1
    assert own.filter(**{f"{path}__isnull": True}).count() == 2
    assert own.filter(Q(**{f"{path}__isnull": True}) | ~Q(**{path: "crm"})).count() == 3
    assert own.aggregate(n=Count(path, distinct=True)) == {"n": 2}
    assert sorted(own.values_list(F(path)).annotate(n=Count("pk")), key=str) == [("crm", 2), ("true", 1), (None, 2)]
    assert own.filter(**{attribute("attr:role").path: "7"}).count() == 1


@pytest.mark.parametrize("name", ["product", "attr:", "attr:Product", "attr:a__b", "attr:7", "attr:a b", "attr:AsText"])
def test_what_is_no_attribute_is_no_field(name: str) -> None:
    assert attribute(name) is None


@pytest.mark.parametrize("name", ["in", "contains", "isnull", "text", "date", "a-b", "product_lines", "x1"])
def test_any_name_is_an_attribute_also_one_that_queries_know(partner: Partner, name: str) -> None:
    one = make_record(partner, attributes={name: "here"})
    make_record(partner, attributes={"other": "here"})
    assert list(rows("records", partner).filter(**{attribute(f"attr:{name}").path: "here"})) == [one]


def test_the_dataset_is_dated_by_the_day_it_occurred_and_may_be_by_others() -> None:
    assert (get("records").dated, get("records").days) == ("occurred_on", ("starts_on", "ends_on"))
    assert get("live_records").dated is None


# --- scores -----------------------------------------------------------------------------------------


def test_the_latest_score_of_each_kind_and_scope_up_to_the_day(partner: Partner) -> None:
    for kind, scope, value, scored_on in [
        ("csat", "", "1", date(2026, 1, 1)),
        ("csat", "", "10", EVE),
        ("csat", "", "100", DAY),
        ("csat", "", "1000", NEXT),
        ("csat", "FR", "2", date(2025, 1, 1)),
        ("nps", "", "3", NEXT),
    ]:
        make_score(partner, kind=kind, scope=scope, value=Decimal(value), scored_on=scored_on)
    make_score(make_partner(), kind="csat", value=Decimal(7), scored_on=DAY)
    assert values("scores", partner, "kind", "scope", "value") == [
        ("csat", "", Decimal(100)), ("csat", "FR", Decimal(2)),
    ]  # fmt: skip
    assert values("scores", partner, "value", day=EVE) == [Decimal(2), Decimal(10)]
    assert len(values("score_history", partner, "scored_on")) == 6
    assert get("score_history").dated == "scored_on"


# --- plan targets -----------------------------------------------------------------------------------


def test_the_target_of_the_period_that_holds_the_day_before(partner: Partner) -> None:
    make_target(partner, starts_on=date(2026, 1, 1), ends_on=EVE, amount=Decimal(1))
    make_target(partner, starts_on=date(2026, 2, 1), ends_on=DAY, amount=Decimal(10))
    make_target(partner, starts_on=EVE, ends_on=NEXT, amount=Decimal(100))
    make_target(partner, starts_on=DAY, ends_on=date(2027, 1, 1), amount=Decimal(1000))
    assert values("current_plan_targets", partner, "amount") == [Decimal(10), Decimal(100)]
    assert len(values("plan_targets", partner, "key")) == 4
    assert get("plan_targets").dated == "starts_on"


# --- awards and tiers held ----------------------------------------------------------------------------


def test_awards_in_force_on_the_day(partner: Partner) -> None:
    for code, starts_on, ends_on in [
        ("over", date(2026, 1, 1), DAY), ("last", date(2026, 1, 1), NEXT), ("open", DAY, None), ("later", NEXT, None),
    ]:  # fmt: skip
        make_award(partner, code=code, starts_on=starts_on, ends_on=ends_on)
    assert values("awards", partner, "code") == ["last", "open"]


def test_what_a_night_earned_or_ended_counts_from_the_next_one_on(partner: Partner) -> None:
    for code, starts_on, ends_on in [("new", DAY, None), ("old", EVE, None), ("ended", date(2026, 1, 1), DAY)]:
        make_award(partner, code=code, starts_on=starts_on, ends_on=ends_on, origin=Award.Origin.EARNED)
    assert values("awards", partner, "code") == ["ended", "old"]
    assert values("awards", partner, "code", day=NEXT) == ["new", "old"]


@pytest.mark.parametrize(("reason", "held"), [("earned", "level-1"), ("lost", "level-1"), ("granted", "level-2")])
def test_the_tier_held_is_that_before_the_night(partner: Partner, reason: str, held: str) -> None:
    program = make_program(slug="resellers")
    edition = make_edition(program)
    enrollment = make_enrollment(partner, program)
    first, second = edition.tiers.get(rank=1), edition.tiers.get(rank=2)
    make_placement(enrollment, first, starts_on=date(2026, 1, 1), ends_on=DAY)
    make_placement(enrollment, second, starts_on=DAY, reason=reason)
    assert values("placements", partner, "program", "tier") == [("resellers", held)]
    assert values("placements", partner, "tier", "rank", day=NEXT) == [("level-2", 2)]
    assert values("placements", partner, "tier", day=EVE) == ["level-1"]


def test_tiers_of_every_program_while_enrolled(partner: Partner) -> None:
    for slug, ends_on in [("one", None), ("two", NEXT), ("three", DAY)]:
        program = make_program(slug=slug)
        enrollment = make_enrollment(partner, program, ends_on=ends_on)
        make_placement(enrollment, make_edition(program).tiers.get(rank=1), reason=Placement.Reason.JOINED)
    assert values("placements", partner, "program") == ["one", "two"]


# --- customers --------------------------------------------------------------------------------------


def test_each_customer_once_at_its_first_purchase(partner: Partner) -> None:
    first = make_sale(partner, customer_name="Lyon", sold_on=date(2026, 1, 5))
    make_sale(partner, customer_name="Lyon", sold_on=date(2026, 1, 5))
    make_sale(partner, customer_name="Lyon", sold_on=EVE)
    make_sale(partner, customer_name="Lyon", sold_on=DAY)
    make_sale(partner, customer_name="Bron", kind="refund", amount=Decimal(-1), sold_on=date(2026, 1, 1))
    bron = make_sale(partner, customer_name="Bron", sold_on=date(2026, 3, 1))
    make_sale(partner, sold_on=date(2026, 1, 1))
    other = make_sale(make_partner(), customer_name="Lyon", sold_on=date(2026, 2, 1))
    assert set(rows("customers", partner)) == {first, bron}
    assert values("customers", partner, "name", "first_bought_on", "last_bought_on") == [
        ("Bron", date(2026, 3, 1), date(2026, 3, 1)), ("Lyon", date(2026, 1, 5), EVE),
    ]  # fmt: skip
    assert list(rows("customers", other.partner)) == [other]


# --- grouped, as measures read them ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    ["records", "live_records", "scores", "score_history", "plan_targets", "current_plan_targets", "awards",
     "placements", "customers"],
)  # fmt: skip
def test_every_dataset_groups_by_partner_in_one_statement(key: str, django_assert_num_queries: Any) -> None:
    made = [_one_of_everything() for _n in range(3)]
    dataset = get(key)
    with django_assert_num_queries(1):
        grouped = dict(dataset.rows(DAY).order_by().values_list(dataset.partner).annotate(n=Count("pk")))
    assert grouped == {partner.pk: 1 for partner in made}


def _one_of_everything() -> Partner:
    partner, program = make_partner(), make_program()
    make_record(partner)
    make_score(partner)
    make_target(partner)
    make_award(partner)
    make_sale(partner, customer_name="Lyon")
    make_placement(make_enrollment(partner, program), make_edition(program).tiers.get(rank=1))
    return partner


def test_the_database_refuses_what_does_not_hold_together(partner: Partner) -> None:
    def refused(make: Any, **over: Any) -> bool:
        try:
            with transaction.atomic():
                make(partner, **over)
        except IntegrityError:
            return True
        return False

    assert refused(make_record, occurred_on=DAY, ends_on=DAY)
    assert refused(make_record, occurred_on=EVE, starts_on=NEXT, ends_on=DAY)
    assert refused(make_record, amount=Decimal(1))
    assert refused(make_record, currency="EUR")
    assert refused(make_target, starts_on=DAY, ends_on=DAY)
    assert refused(make_target, quantity=Decimal(1))
    assert refused(make_target, amount=None)
    assert refused(make_target, amount=None, currency="")
    make_score(partner, scored_on=DAY)
    assert refused(make_score, scored_on=DAY)
    assert not refused(make_record, occurred_on=DAY, ends_on=NEXT)
    assert (Record.objects.count(), Score.objects.count(), PlanTarget.objects.count()) == (1, 1, 0)
