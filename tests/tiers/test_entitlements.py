"""What partners may use of benefits: how much, in which period, and never more, also of two at once."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from time_machine import travel

from accounts.models import User
from journal.models import Entry
from partner_program import timeline
from tests.commissions.test_concurrency import at_once
from tests.factories import make_partner, make_portal_user, make_program, make_sale, make_sales_edition, make_staff
from tests.tiers.life import nights
from tiers import quantities, services
from tiers.entitlements import Entitlement, entitlement, entitlements, entitlements_of
from tiers.errors import BenefitNotGivenError, BenefitSpentError, BenefitUseError
from tiers.models import Benefit, BenefitUse, Edition, Enrollment, Placement, Program, TierBenefit

pytestmark = pytest.mark.django_db
D = Decimal
START, MAY = date(2024, 1, 1), date(2024, 5, 15)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2024-12-31T10:00:00+01:00", tick=False):
        yield


@pytest.fixture
def staff() -> User:
    return make_staff()


def offering(edition: Edition, gives: dict[int, dict[str, tuple[str | None, str]]]) -> None:
    """By rank: the quantity and the period of each benefit. `fund` is money, what has a quantity else is counted."""
    for rank, benefits in gives.items():
        for code, (quantity, per) in benefits.items():
            kind = "money" if code == "fund" else "quantity" if quantity else "access"
            benefit, _created = Benefit.objects.get_or_create(
                program=edition.program, code=code,
                defaults={"kind": kind, "position": edition.program.benefits.count(), "name": {"en": code.title()}},
            )  # fmt: skip
            TierBenefit.objects.create(
                tier=edition.tiers.get(rank=rank), benefit=benefit, quantity=D(quantity) if quantity else None, per=per
            )


GIVES = {
    1: {"training": ("1", "quarter")},
    2: {"leads": (None, ""), "fund": ("3000", "year"), "training": ("4", "quarter"), "kit": ("2", "")},
    3: {"leads": (None, ""), "fund": ("5000.50", "year"), "kit": ("2", "")},
}


@pytest.fixture
def program() -> Program:
    program = make_program(currency="EUR")
    edition = make_sales_edition(program)
    offering(edition, GIVES)
    services.publish_edition(edition=edition)
    return program


def tier(program: Program, rank: int) -> Any:
    return program.editions.latest("starts_on").tiers.get(rank=rank)


def enrolled(program: Program, rank: int = 2, on: date = START) -> Enrollment:
    enrollment = services.enroll(partner=make_partner(), program=program, on=on)
    if rank > 1:
        put(enrollment, rank, on)
    return enrollment


def put(enrollment: Enrollment, rank: int, on: date, reason: Placement.Reason = Placement.Reason.EARNED) -> None:
    services.place(enrollment=enrollment, tier=tier(enrollment.program, rank), on=on, reason=reason)


def use(enrollment: Enrollment, code: str, quantity: str = "1", on: date = MAY, **over: Any) -> BenefitUse:
    return services.use_benefit(enrollment=enrollment, code=code, on=on, quantity=D(quantity), **over)


def of(enrollment: Enrollment, code: str, on: date = MAY) -> Entitlement:
    return entitlement(partner_id=enrollment.partner_id, code=code, on=on)


def counted(enrollment: Enrollment, code: str, on: date = MAY) -> tuple[Any, ...]:
    one = of(enrollment, code, on)
    return one.used, one.left, str(one.starts_on), str(one.ends_on)


def verbs() -> list[str]:
    return list(Entry.objects.filter(verb__startswith="tiers.benefit.").order_by("pk").values_list("verb", flat=True))


# --- Reading --------------------------------------------------------------------------------------


def test_a_tier_gives_so_much_a_period(program: Program) -> None:
    one = enrolled(program)
    fund = of(one, "fund")
    assert (fund.given, fund.quantity, fund.per, fund.used, fund.left) == (True, D(3000), "year", 0, D(3000))
    assert (fund.starts_on, fund.ends_on, fund.currency) == (date(2024, 1, 1), date(2025, 1, 1), "EUR")
    assert counted(one, "training") == (0, D(4), "2024-04-01", "2024-07-01")
    assert counted(one, "kit") == (0, D(2), "2024-01-01", "None")
    leads = of(one, "leads")
    assert (leads.given, leads.quantity, leads.left, leads.currency) == (True, None, None, "")


def test_what_no_tier_gives_is_not_given(program: Program) -> None:
    one = enrolled(program, 1)
    for code in ("fund", "nothing-known"):
        found = of(one, code)
        assert (found.given, found.quantity, found.used, found.left) == (False, 0, 0, 0)
    assert not of(one, "training", date(2023, 12, 31)).given
    assert [each.code for each in entitlements(enrollment=one, on=MAY)] == ["training"]


def test_benefits_open_and_close_at_the_day_of_the_tier(program: Program) -> None:
    one = enrolled(program, 1)
    put(one, 2, MAY)
    put(one, 1, date(2024, 6, 1), Placement.Reason.LOST)
    given = [of(one, "leads", day).given for day in (date(2024, 5, 14), MAY, date(2024, 5, 31), date(2024, 6, 1))]
    assert given == [False, True, True, False]


def test_an_enrollment_that_is_over_gives_nothing(program: Program) -> None:
    one = enrolled(program)
    Enrollment.objects.filter(pk=one.pk).update(ends_on=MAY)
    assert of(one, "leads", date(2024, 5, 14)).given
    assert not of(one, "leads").given
    with pytest.raises(BenefitNotGivenError):
        use(Enrollment.objects.get(pk=one.pk), "kit")


@pytest.mark.parametrize(
    ("per", "period"),
    [
        ("year", ("2024-01-01", "2025-01-01")),
        ("half_year", ("2024-01-01", "2024-07-01")),
        ("quarter", ("2024-04-01", "2024-07-01")),
        ("month", ("2024-05-01", "2024-06-01")),
    ],
)
def test_a_calendar_period_holds_its_first_day_and_not_its_last_bound(per: str, period: tuple[str, str]) -> None:
    program = make_program()
    edition = make_sales_edition(program)
    offering(edition, {2: {"kit": ("10", per)}})
    services.publish_edition(edition=edition)
    one = enrolled(program, on=date(2023, 1, 1))
    start, end = (date.fromisoformat(day) for day in period)
    for quantity, day in (("1", start), ("2", date.fromordinal(end.toordinal() - 1))):
        use(one, "kit", quantity, day)
    use(one, "kit", "4", date.fromordinal(start.toordinal() - 1))
    BenefitUse.objects.create(enrollment=one, benefit=program.benefits.get(), used_on=end, quantity=5)
    assert counted(one, "kit") == (D(3), D(7), *period)


def test_uses_of_the_period_count_whatever_tier_was_held_then(program: Program) -> None:
    one = enrolled(program)
    use(one, "fund", "2999.99", date(2024, 2, 1))
    put(one, 3, MAY)
    assert counted(one, "fund") == (D("2999.99"), D("2000.51"), "2024-01-01", "2025-01-01")
    use(one, "fund", "2000.51")
    put(one, 2, date(2024, 7, 1), Placement.Reason.LOST)
    assert counted(one, "fund", date(2024, 7, 1))[:2] == (D("5000.50"), 0)


def test_once_while_the_tier_is_held_is_no_more_for_a_new_reason_or_edition(program: Program) -> None:
    one = enrolled(program)
    use(one, "kit", "2", date(2024, 2, 1))
    put(one, 2, date(2024, 3, 1), Placement.Reason.GRANTED)
    draft = services.copy_edition(edition=program.editions.get(), name="Next", starts_on=date(2024, 4, 1))
    services.publish_edition(edition=draft)
    put(one, 2, date(2024, 4, 1), Placement.Reason.GRANTED)
    held = Placement.objects.filter(enrollment=one)
    assert (len(held), len({each.tier_id for each in held})) == (3, 2)
    assert counted(one, "kit") == (D(2), 0, "2024-01-01", "None")
    put(one, 3, date(2024, 6, 1))
    assert counted(one, "kit", date(2024, 6, 1)) == (0, D(2), "2024-06-01", "None")
    assert counted(one, "kit") == (D(2), 0, "2024-01-01", "2024-06-01")
    put(one, 2, date(2024, 7, 1), Placement.Reason.LOST)
    assert counted(one, "kit", date(2024, 7, 1)) == (0, D(2), "2024-07-01", "None")


def test_of_two_programs_the_one_that_leaves_most_answers(program: Program) -> None:
    one = enrolled(program)
    other = make_program(currency="EUR")
    edition = make_sales_edition(other)
    offering(edition, {1: {"kit": ("5", "month")}})
    services.publish_edition(edition=edition)
    more = services.enroll(partner=one.partner, program=other, on=START)
    assert (of(one, "kit").enrollment, of(one, "kit").left) == (more, D(5))
    use(more, "kit", "4")
    assert (of(one, "kit").enrollment, of(one, "kit").left) == (one, D(2))


def test_many_cost_what_one_costs(program: Program) -> None:
    many = [enrolled(program, 1 + number % 3) for number in range(9)]
    for one in (many[1], many[2], many[4]):
        use(one, "kit")
    with CaptureQueriesContext(connection) as captured:
        found = entitlements_of(many, on=MAY)
    assert len(captured) == 3
    assert {pk: [each.code for each in given] for pk, given in found.items()} == {
        one.pk: [["training"], ["training", "leads", "fund", "kit"], ["leads", "fund", "kit"]][number % 3]
        for number, one in enumerate(many)
    }
    with CaptureQueriesContext(connection) as captured:
        entitlement(partner_id=many[1].partner_id, code="kit", on=MAY)
    assert len(captured) == 4


@pytest.mark.parametrize(
    ("language", "left"),
    [
        ("en", ["4 of 4 left, until 30 June 2024", "1 used since 1 January 2024",
                "€1,200.50 of €3,000 left, until 31 December 2024", "1 of 2 left, while the tier is held"]),
        ("fr", ["Reste 4 sur 4, jusqu’au 30 juin 2024", "1 utilisé depuis le 1er janvier 2024",
                "Reste 1 200,50 € sur 3 000 €, jusqu’au 31 décembre 2024", "Reste 1 sur 2, tant que le palier est détenu"]),
    ],
)  # fmt: skip
def test_what_is_left_in_words(program: Program, language: str, left: list[str]) -> None:
    one = enrolled(program)
    for code, quantity in (("leads", "1"), ("fund", "1799.5"), ("kit", "1")):
        use(one, code, quantity)
    with override(language):
        said = [quantities.left(each).replace("\u202f", " ") for each in entitlements(enrollment=one, on=MAY)]
    assert [one.replace("\xa0", " ") for one in said] == left


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_portal_says_what_is_left_within_its_queries(program: Program, client: Client, language: str) -> None:
    one = enrolled(program)
    for code, quantity in (("fund", "1799.5"), ("kit", "2")):
        use(one, code, quantity)
    put(one, 2, date(2024, 6, 1), Placement.Reason.GRANTED)
    nights(program, "2024-12-31")
    client.force_login(make_portal_user(one.partner))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/portal/tier/", headers={"accept-language": language})
    shown = " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())
    says = {
        "en": ("€1,200.50 of €3,000 left, until 31 December 2024", "0 of 2 left, while the tier is held"),
        "fr": (
            "Reste 1 200,50 € sur 3 000 €, jusqu’au 31 décembre 2024",
            "Reste 0 sur 2, tant que le palier est détenu",
        ),
    }
    assert [text for text in says[language] if text not in shown] == []
    assert len(captured) <= 20


# --- Using ----------------------------------------------------------------------------------------


def test_a_use_counts_once_by_its_external_id_and_stands_in_the_journal(program: Program, staff: User) -> None:
    one = enrolled(program)
    first = use(one, "fund", "1000", note=" Fair in Lyon ", external_id="E-1", actor=staff)
    assert use(one, "fund", "1000", external_id="E-1", actor=staff) == first
    assert (first.quantity, first.note, first.author, first.used_on) == (D(1000), "Fair in Lyon", staff, MAY)
    assert counted(one, "fund")[:2] == (D(1000), D(2000))
    entry = Entry.objects.get(verb="tiers.benefit.used")
    assert (entry.actor, entry.partner_id, entry.after) == (
        staff, one.partner_id,
        {"benefit": "fund", "quantity": "1000", "on": "2024-05-15", "note": "Fair in Lyon"},
    )  # fmt: skip


def test_a_use_known_by_its_external_id_stands_after_all_is_used_up(program: Program) -> None:
    one = enrolled(program)
    first = use(one, "kit", "2", external_id="E-1")
    put(one, 1, date(2024, 5, 20), Placement.Reason.LOST)
    assert use(one, "kit", "2", external_id="E-1") == first
    assert BenefitUse.objects.count() == 1


@pytest.mark.parametrize(("code", "quantity", "left"), [("fund", "3000.0001", D(3000)), ("kit", "3", D(2))])
def test_more_than_is_left_is_refused_with_what_is_left(
    program: Program, code: str, quantity: str, left: Decimal
) -> None:
    one = enrolled(program)
    with pytest.raises(BenefitSpentError) as refused:
        use(one, code, quantity)
    assert (refused.value.left, refused.value.code) == (left, "benefit_spent")
    assert (BenefitUse.objects.count(), verbs()) == (0, [])
    use(one, code, str(left))
    with pytest.raises(BenefitSpentError) as refused:
        use(one, code, "0.0001")
    assert refused.value.left == 0


def test_the_refusal_says_what_is_left(program: Program) -> None:
    with pytest.raises(BenefitSpentError) as refused:
        use(enrolled(program), "fund", "4000")
    assert str(refused.value) == "Of “Fund” there is €3,000 left, and €4,000 was asked for."


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ({"code": "fund", "on": date(2023, 12, 31)}, BenefitNotGivenError),
        ({"code": "nothing-known"}, BenefitNotGivenError),
        ({"quantity": "0"}, BenefitUseError),
        ({"quantity": "-1"}, BenefitUseError),
        ({"quantity": "0.00001"}, BenefitUseError),
        ({"on": date(2025, 1, 1)}, BenefitUseError),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    program: Program, over: dict[str, Any], error: type[Exception]
) -> None:
    one = enrolled(program)
    with pytest.raises(error):
        use(one, **{"code": "kit", **over})
    assert (BenefitUse.objects.count(), verbs()) == (0, [])


def test_an_external_id_of_another_use_is_refused(program: Program) -> None:
    one = enrolled(program)
    use(one, "kit", external_id="E-1")
    for enrollment, code, quantity, day in (
        (one, "kit", "2", MAY), (one, "fund", "1", MAY), (one, "kit", "1", date(2024, 5, 16)),
        (enrolled(program), "kit", "1", MAY),
    ):  # fmt: skip
        with pytest.raises(BenefitUseError, match="another use"):
            use(enrollment, code, quantity, day, external_id="E-1")
    assert BenefitUse.objects.count() == 1


def test_a_use_is_taken_back_whole_once_in_its_own_period(program: Program, staff: User) -> None:
    one = enrolled(program)
    first = use(one, "training", "4", date(2024, 3, 31))
    with pytest.raises(BenefitUseError, match="Say why"):
        services.take_back_use(use=first, note=" ", actor=staff)
    back = services.take_back_use(use=first, note="Cancelled", actor=staff)
    assert services.take_back_use(use=first, note="Cancelled", actor=staff) == back
    assert (back.quantity, back.used_on, back.takes_back) == (D(-4), date(2024, 3, 31), first)
    assert counted(one, "training", date(2024, 3, 31))[:2] == (0, D(4))
    with pytest.raises(BenefitUseError, match="takes back"):
        services.take_back_use(use=back, note="Again", actor=staff)
    assert verbs() == ["tiers.benefit.used", "tiers.benefit.taken_back"]
    assert Entry.objects.latest("pk").after == {
        "benefit": "training", "quantity": "-4", "on": "2024-03-31", "note": "Cancelled"
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_uses_at_once_never_exceed_what_is_given(program: Program) -> None:
    one = enrolled(program)
    outcomes = at_once(*(lambda: use(one, "fund", "1000") for _number in range(8)))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [(type(each), each.left) for each in refused] == [(BenefitSpentError, 0)] * 5
    assert counted(one, "fund")[:2] == (D(3000), 0)
    assert len(verbs()) == BenefitUse.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_the_same_use_sent_at_once_counts_once(program: Program) -> None:
    one, other = enrolled(program), enrolled(program)
    first = use(one, "kit")
    works = [lambda: use(one, "fund", "10", external_id="E-1") for _number in range(4)]
    works += [lambda: services.take_back_use(use=first, note="Cancelled") for _number in range(3)]
    outcomes = at_once(*works, lambda: use(other, "fund", "10", external_id="E-1"))
    kept = BenefitUse.objects.get(external_id="E-1")
    wrong = [each for each in outcomes if isinstance(each, Exception)]
    assert {type(each) for each in wrong} == {BenefitUseError}
    assert len(wrong) == (1 if kept.enrollment == one else 4)
    assert (of(one, "kit").used, BenefitUse.objects.count()) == (0, 3)


# --- Telling --------------------------------------------------------------------------------------


def switched(enrollment: Enrollment) -> list[tuple[str, list[str], list[str]]]:
    entries = Entry.objects.about_partner(enrollment.partner_id).filter(verb__startswith="tiers.").order_by("pk")
    return [(one.verb[6:], one.after.get("opens", []), one.after.get("closes", [])) for one in entries]


def says(enrollment: Enrollment) -> list[str]:
    tiers = enrollment.program.editions.latest("starts_on").tiers.all()
    return [one.says for one in timeline.of_partner(enrollment.partner, tiers)]


def test_the_night_tells_which_benefits_open_and_close(program: Program) -> None:
    one = enrolled(program, 1)
    make_sale(one.partner, sold_on=date(2024, 1, 10), amount=D(60_000), currency="EUR")
    nights(program, "2024-02-01")
    make_sale(one.partner, sold_on=date(2024, 2, 10), amount=D(200_000), currency="EUR")
    nights(program, "2024-03-01")
    nights(program, "2025-03-01")
    assert switched(one) == [
        ("enrollment.started", ["training"], []),
        ("placement.changed", ["leads", "fund", "kit"], []),
        ("placement.changed", [], ["training"]),
        ("placement.changed", ["training"], ["leads", "fund", "kit"]),
    ]
    assert says(one) == [
        "From Level 3 to Level 1. Benefits opened: Training. Benefits closed: Leads · Fund · Kit.",
        "From Level 2 to Level 3. Benefits closed: Training.",
        "From Level 1 to Level 2. Benefits opened: Leads · Fund · Kit.",
        "You joined the program, in Level 1. Benefits opened: Training.",
    ]


def test_the_same_tier_of_a_new_edition_tells_what_it_gives_otherwise(program: Program) -> None:
    one = enrolled(program, 1)
    draft = services.copy_edition(edition=program.editions.get(), name="Next", starts_on=date(2024, 4, 1))
    TierBenefit.objects.filter(tier__edition=draft, tier__rank=1).delete()
    offering(draft, {1: {"leads": (None, "")}})
    services.publish_edition(edition=draft)
    nights(program, "2024-04-01", "2024-04-01", "2024-04-02")
    assert switched(one)[1:] == [("benefits.changed", ["leads"], ["training"])]
    assert says(one)[0] == "What Level 1 gives has changed. Benefits opened: Leads. Benefits closed: Training."
    assert of(one, "leads").given


def test_a_grant_tells_and_the_names_of_benefits_cost_one_query(program: Program, staff: User) -> None:
    one = enrolled(program, 1)
    services.grant(enrollment=one, tier=tier(program, 2), on=MAY, note="Founding partner", actor=staff)
    assert switched(one)[1:] == [("placement.changed", ["leads", "fund", "kit"], [])]
    with CaptureQueriesContext(connection) as captured:
        assert len(timeline.of_partner(one.partner, [])) == 2
    assert len(captured) == 2
