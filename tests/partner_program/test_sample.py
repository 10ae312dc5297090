"""The sample data against its published figures."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Count, Max, Sum
from time_machine import travel

from accounts.models import User
from commissions.models import Earning
from journal.models import Entry
from leads.models import Deal, Lead, Sale
from partners.models import Location, Member, Partner
from tiers.models import Placement, Run
from training.models import Certificate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def in_each_tier() -> dict[str, int]:
    return dict(Placement.objects.current().values_list("tier__code").annotate(Count("pk")))


def test_the_published_facts_and_the_night_of_june_2020() -> None:
    call_command("load_sample", "--keep-dates")
    assert Partner.objects.count() == 701
    assert Sale.objects.count() == 57_851
    assert Sale.objects.aggregate(orders=Count("order_number", distinct=True))["orders"] == 3_616
    assert Sale.objects.aggregate(total=Sum("amount"))["total"] == Decimal("77548570.20")
    assert set(Sale.objects.values_list("currency", flat=True).distinct()) == {"USD"}
    assert not User.objects.exists()
    assert not Lead.objects.exists()

    call_command("night", "--as-of", "2020-06-01", "--program", "resellers-net-sales")
    assert in_each_tier() == {"level-1": 506, "level-2": 147, "level-3": 48}
    posted, entries = Earning.objects.count(), Entry.objects.count()
    # Everybody held level 1 on every day before the first night: each line earned 5% of itself, rounded.
    expected = sum(
        (amount * Decimal("0.05")).quantize(Decimal("0.01"), rounding="ROUND_HALF_EVEN")
        for amount in Sale.objects.values_list("amount", flat=True).iterator()
    )
    assert Earning.objects.aggregate(total=Sum("amount"))["total"] == expected

    call_command("night", "--as-of", "2020-06-01")
    assert in_each_tier() == {"level-1": 506, "level-2": 147, "level-3": 48}
    assert (Earning.objects.count(), Entry.objects.count()) == (posted, entries)


def test_twenty_chunks_place_and_pay_as_one_does() -> None:
    call_command("load_sample", "--keep-dates")
    call_command("night", "--as-of", "2020-06-01", "--chunk-size", "36")
    assert Run.objects.get().chunks.filter(step="place").count() == 20
    assert in_each_tier() == {"level-1": 506, "level-2": 147, "level-3": 48}


@travel("2026-11-24T10:00:00+01:00", tick=False)
def test_the_demo_ends_last_month_and_has_made_up_people() -> None:
    call_command("load_sample")
    imported = Sale.objects.filter(deal__isnull=True)
    assert imported.count() == 57_851
    assert imported.aggregate(total=Sum("amount"))["total"] == Decimal("77548570.20")
    assert imported.aggregate(newest=Max("sold_on"))["newest"] == date(2026, 10, 31)
    assert Location.objects.filter(accuracy="unknown").count() == 22
    assert not Member.objects.filter(is_made_up=False).exists()
    assert not Certificate.objects.filter(is_made_up=False).exists()
    assert not Lead.objects.filter(is_made_up=False).exists()
    assert User.objects.get(email="partner@demo.example").check_password("demo-partner-program")
    assert Counter(Deal.objects.filter(partner__members__user__email="partner@demo.example").values_list("status", flat=True)) == {
        "won": 1, "approved": 1, "submitted": 1,
    }  # fmt: skip


@pytest.mark.parametrize("option", [[], ["--keep-dates"]])
def test_a_second_load_changes_nothing(option: list[str]) -> None:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        call_command("load_sample", *option)
        before = [model.objects.count() for model in (Partner, Sale, Member, Lead, Deal, Entry, Location)]
    with travel("2026-12-24T10:00:00+01:00", tick=False):
        call_command("load_sample", *option)
    assert [model.objects.count() for model in (Partner, Sale, Member, Lead, Deal, Entry, Location)] == before
