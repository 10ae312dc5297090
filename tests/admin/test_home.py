"""The first screen of staff: each figure exact, each for who may see it, at a fixed cost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.periods import add_months, program_today
from leads.models import Lead
from partner_program import dashboard, waiting
from tests.admin.world import World, make_world, more_rows
from tests.factories import make_member, make_partner, make_sale, make_user
from tiers import services
from tiers.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def test_queues_count_what_waits_and_how_long(world: World) -> None:
    Lead.objects.filter(pk=world.lead.pk).update(created_at=timezone.now() - timedelta(days=9))
    request = RequestFactory().get("/admin/")
    request.user = world.staff
    found = {queue.key: (queue.count, queue.days) for queue in waiting.queues(request)}
    days = (program_today() - program_today().replace(day=1)).days
    assert found == {
        "leads": (1, 9),
        "deals": (1, 0),
        "statements": (1, days),
        "nights": (0, 0),
        "rates": (0, 0),
        "imports": (1, 0),
        "claims": (0, 0),
        "proposals": (0, 0),
        "reviews": (0, 0),
        "failed": (0, 0),
        "disputes": (0, 0),
        "invoices-sent": (0, 0),
        "identities": (0, 0),
        "invoices-waiting": (0, 0),
        "payee-accounts": (0, 0),
        "payout-batches": (0, 0),
        "adjustments": (0, 0),
    }


def test_each_queue_links_to_the_list_of_exactly_its_rows(world: World, client: Client) -> None:
    more_rows(world, 2)
    Run.objects.update(state=Run.State.FAILED)
    client.force_login(world.staff)
    home = client.get(reverse("admin:index"))
    counts = {}
    for queue in home.context["queues"]:
        listed = client.get(queue.url)
        assert listed.status_code == 200
        counts[queue.key] = (queue.count, listed.context["cl"].result_count)
    assert counts == {
        "leads": (1, 1),
        "deals": (3, 3),
        "statements": (3, 3),
        "nights": (1, 1),
        "rates": (0, 0),
        "imports": (1, 1),
        "claims": (0, 0),
        "proposals": (0, 0),
        "reviews": (0, 0),
        "failed": (0, 0),
        "disputes": (0, 0),
        "invoices-sent": (0, 0),
        "identities": (0, 0),
        "invoices-waiting": (0, 0),
        "payee-accounts": (0, 0),
        "payout-batches": (0, 0),
        "adjustments": (0, 0),
    }


def test_a_failure_that_a_later_night_made_good_does_not_wait(world: World) -> None:
    Run.objects.create(
        program=world.program, day=program_today() - timedelta(days=1), edition=world.edition,
        state=Run.State.FAILED,
    )  # fmt: skip
    latest = Run.objects.create(
        program=world.program, day=program_today() + timedelta(days=1), edition=world.edition,
        state=Run.State.DONE,
    )  # fmt: skip
    assert list(waiting._failed_nights(program_today())) == []
    Run.objects.filter(pk=latest.pk).update(state=Run.State.FAILED)
    assert list(waiting._failed_nights(program_today())) == [latest]


def test_last_night(world: World) -> None:
    (night,) = dashboard.nights(program_today())
    assert (night.moved_up, night.moved_down, night.posted, night.failed) == (0, 0, 1, 0)
    assert night.url == reverse("admin:tiers_run_change", args=[world.run.pk])


def test_money_by_currency(world: World) -> None:
    (money,) = dashboard.money(program_today())
    assert (money.currency, money.this_month, money.last_month) == ("USD", Decimal(0), Decimal("100.00"))
    assert (money.to_issue, money.drafts) == (Decimal("100.00"), 1)


def test_health_counts_tiers_active_and_certified(world: World) -> None:
    today = program_today()
    make_member(world.partner, joined_on=today - timedelta(days=9))
    make_member(world.partner, joined_on=today - timedelta(days=9), job="finance")
    idle = make_partner()
    services.place(
        enrollment=services.enroll(partner=idle, program=world.program, on=today - timedelta(days=5)),
        tier=world.edition.tiers.get(rank=2), on=today, reason="granted",
    )  # fmt: skip
    make_sale(idle, sold_on=add_months(today, -3) - timedelta(days=1))
    (health,) = dashboard.health(today)
    assert [(share.tier.code, share.partners, share.width) for share in health.tiers] == [
        ("level-2", 1, "100.0%"), ("level-1", 1, "100.0%"),
    ]  # fmt: skip
    assert (health.partners, health.active_share, health.certified_share) == (2, Decimal("0.5"), Decimal("0.5"))


def test_shares_of_nothing_are_not_shown() -> None:
    assert dashboard.share(0, 0) is None


def test_sales_of_twelve_months_are_a_chart_and_a_table(world: World) -> None:
    today = program_today()
    first = add_months(today.replace(day=1), -11)
    make_sale(world.partner, sold_on=first, amount=Decimal("10.00"))
    make_sale(world.partner, sold_on=first - timedelta(days=1), amount=Decimal("7000.00"))
    make_sale(world.partner, sold_on=today, amount=Decimal("1.00"))
    (sales,) = dashboard.sales(today)
    assert [one.amount for one in sales.months] == [
        Decimal("10.00"),
        *[Decimal(0)] * 9,
        Decimal("1000.00"),
        Decimal("1.00"),
    ]
    assert (sales.total, sales.currency, len(sales.chart.columns)) == (Decimal("1011.00"), "USD", 12)


def test_the_home_costs_the_same_whatever_there_is(world: World, client: Client) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse("admin:index")).status_code == 200
        return len(asked)

    client.force_login(world.staff)
    client.get(reverse("admin:index"))
    few = queries()
    more_rows(world, 9)
    assert queries() == few


def test_staff_see_the_parts_that_they_may(world: World, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_lead"))
    client.force_login(user)
    home = client.get(reverse("admin:index"))
    assert [queue.key for queue in home.context["queues"]] == ["leads"]
    assert [part for part in ("nights", "money", "health", "sales") if part in home.context] == []
