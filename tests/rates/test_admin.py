"""Staff's pages of exchange rates."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.lines import Point, line
from common.periods import program_today
from imports.models import Import
from partner_program import waiting
from rates.models import Rate, RateSource
from tests.factories import make_staff, make_user
from tests.rates.facts import FRIDAY, ecb_xml, make_rate

pytestmark = pytest.mark.django_db
LIST, PAIR = "/admin/rates/rate/", "/admin/rates/rate/pair/"
UPLOAD, ENTER = "/admin/rates/rate/upload/", "/admin/rates/rate/enter/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_filters_and_never_changes(staff: Client) -> None:
    row = make_rate("USD", "1.1172")
    make_rate("GBP", "0.8338")
    assert "EUR/USD" in text(staff.get(LIST))
    assert "EUR/GBP" not in text(staff.get(LIST, {"quote__exact": "USD"}))
    page = text(staff.get(f"{LIST}{row.pk}/change/"))
    assert "1.1172" in page
    assert "_save" not in page
    assert staff.post(f"{LIST}{row.pk}/delete/").status_code == 403


def test_the_list_costs_the_same_however_long(staff: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            staff.get(LIST)
        return len(seen)

    make_rate()
    few = queries()
    for back in range(1, 12):
        make_rate("GBP", "0.8", FRIDAY - timedelta(days=back))
    assert queries() <= few <= 30


@pytest.mark.parametrize(("days", "is_told"), [(5, False), (6, True)])
def test_staff_are_told_when_the_source_fell_silent(staff: Client, rf: Any, days: int, is_told: bool) -> None:
    make_rate(on=program_today() - timedelta(days=days))
    make_rate(on=program_today() + timedelta(days=3))  # what is to come is not news
    assert ("6 days old" in text(staff.get(LIST))) == is_told
    request = rf.get("/")
    request.user = make_staff()
    assert waiting.count(request, "rates") == is_told
    (queue,) = [one for one in waiting.queues(request) if one.key == "rates"]
    assert staff.get(queue.url).context["cl"].result_count == queue.count
    assert queue.days == (6 if is_told else 0)


def test_nobody_is_told_where_there_never_were_rates(staff: Client, rf: Any) -> None:
    RateSource.objects.create(code="ecb", name={"en": "x"}, base="EUR")
    assert "days old" not in text(staff.get(LIST))
    assert list(RateSource.objects.silent_on(program_today())) == []


def test_a_pair_over_time_crossed_as_chart_and_table(staff: Client) -> None:
    with time_machine.travel("2026-11-02 12:00", tick=False):
        for back, value in ((0, "1.25"), (1, "1.2"), (2, "1.1")):
            make_rate("USD", value, FRIDAY - timedelta(days=back))
            make_rate("GBP", "0.8", FRIDAY - timedelta(days=back))
        answer = staff.get(PAIR, {"source": "ecb", "base": "USD", "quote": "GBP", "span": "quarter"})
        seen = answer.context["seen"]
    assert [(row.on, row.value) for row in seen.rows] == [
        (FRIDAY, "0.64"), (FRIDAY - timedelta(days=1), "0.666667"), (FRIDAY - timedelta(days=2), "0.727273"),
    ]  # fmt: skip
    assert seen.rows[0].made_of == "EUR/USD 1.25 · EUR/GBP 0.8"
    assert (seen.lowest, seen.highest, seen.newest) == ("0.64", "0.727273", "0.64")
    assert len(seen.chart.dots) == 3
    assert 'aria-label="One USD in GBP"' in text(answer)


def test_longer_spans_show_a_rate_a_month(staff: Client) -> None:
    for month in range(1, 11):
        make_rate(value=f"1.{month}", on=date(2026, month, 28))
        make_rate(value="9", on=date(2026, month, 2))
    with time_machine.travel("2026-10-28 12:00", tick=False):
        seen = staff.get(PAIR, {"span": "five"}).context["seen"]
    assert [row.on.month for row in seen.rows] == list(range(10, 0, -1))
    assert {row.on.day for row in seen.rows} == {28}


def test_the_pair_page_without_rates_and_of_a_pair_without(staff: Client) -> None:
    assert "no rates yet" in text(staff.get(PAIR))
    make_rate()
    make_rate("GBP", on=FRIDAY - timedelta(days=399))
    assert "no rate of this pair" in text(staff.get(PAIR, {"base": "EUR", "quote": "GBP"}))
    assert staff.get(PAIR, {"base": "<x>", "span": "ever"}).status_code == 200


def test_the_pair_page_costs_few_queries(staff: Client) -> None:
    for back in range(30):
        make_rate("USD", "1.2", FRIDAY - timedelta(days=back))
    with CaptureQueriesContext(connection) as seen:
        staff.get(PAIR)
    assert len([one for one in seen if "rates_" in one["sql"]]) <= 8


def test_a_file_of_the_bank_is_uploaded(staff: Client, django_capture_on_commit_callbacks: Any) -> None:
    page = text(staff.get(UPLOAD))
    assert "As the file says" in page
    sent = SimpleUploadedFile("eurofxref-daily.xml", ecb_xml(("2026-10-30", {"USD": "1.1172"})))
    with django_capture_on_commit_callbacks(execute=True):
        answer = staff.post(UPLOAD, {"_ask": "1", "file": sent})
    done = Import.objects.get()
    assert (done.state, done.added) == ("done", 1)
    assert answer.headers["Location"] == reverse("admin:imports_import_change", args=[done.pk])
    assert Rate.objects.get().imported_by == done.created_by


def test_a_rate_is_entered_and_a_bad_one_comes_back_filled(staff: Client) -> None:
    row = {"_ask": "1", "source": "manual", "on": "2026-10-30", "base": "usd", "value": "0.75", "quote": "GBP"}
    assert staff.post(ENTER, row).headers["Location"] == LIST
    assert Rate.objects.get().value == Decimal("0.75")
    for over in ({"value": "0"}, {"quote": "XQQ"}, {"quote": "USD"}):
        page = text(staff.post(ENTER, {**row, **over}))
        assert 'value="2026-10-30"' in page
    assert Rate.objects.count() == 1


def test_who_may_only_look_brings_nothing_in(client: Client) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    helper = make_user(is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="view_rate"))
    client.force_login(helper)
    assert client.get(LIST).status_code == client.get(PAIR).status_code == 200
    assert client.get(UPLOAD).status_code == client.get(ENTER).status_code == 403
    helper.user_permissions.clear()
    assert client.get(PAIR).status_code == 403


def test_a_line_fits_its_scale_to_the_values() -> None:
    points = [
        Point(FRIDAY + timedelta(days=at), Decimal(value), str(at)) for at, value in enumerate(("1.10", "1.14", "1.12"))
    ]
    made = line("t", points, scale=str, day=str)
    assert [mark.label for mark in made.scale] == ["1.10", "1.11", "1.12", "1.13", "1.14"]
    assert made.path == "M0.00 100.00 L50.00 0.00 L100.00 50.00"
    assert line("t", [], scale=str, day=str) is None
    assert len(line("t", points[:1], scale=str, day=str).dots) == 1
