"""The scheduled fetch: off unless an address is set, bounded, and harmless when nobody answers."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from imports.models import Import
from rates import fetching, jobs
from rates.errors import FetchError
from rates.models import Rate
from tests.rates.facts import ecb_xml

pytestmark = pytest.mark.django_db
DAILY = ecb_xml(("2026-10-30", {"USD": "1.1172", "GBP": "0.8338"}))


class _Bank(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, bytes]] = {
        "/eurofxref-daily.xml": DAILY,
        "/broken.xml": DAILY.replace(b"1.1172", b"-1"),
    }

    def do_GET(self) -> None:
        body = self.answers.get(self.path)
        self.send_response(200 if body else 503)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def bank() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Bank)
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def committed(django_capture_on_commit_callbacks: Any) -> Iterator[None]:
    with django_capture_on_commit_callbacks(execute=True):
        yield


def test_nothing_is_scheduled_and_nothing_leaves_unless_an_address_is_set(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "fetch", lambda *args, **kwargs: pytest.fail("asked"))
    assert settings.ECB_RATES_URL == ""
    assert jobs.schedule() == {}
    jobs.fetch_rates()
    settings.ECB_RATES_URL = "https://rates.example/x.xml"
    assert list(jobs.schedule()) == ["fetch-exchange-rates"]


def test_what_is_fetched_comes_in_once(bank: str, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.ECB_RATES_URL = f"{bank}/eurofxref-daily.xml"
    for _time in range(2):
        with committed(django_capture_on_commit_callbacks):
            jobs.fetch_rates()
    assert Rate.objects.count() == 2
    assert list(Import.objects.order_by("pk").values_list("file_name", "state", "added")) == [
        ("eurofxref-daily.xml", "done", 2), ("eurofxref-daily.xml", "done", 0)]  # fmt: skip


def test_a_bad_file_stands_refused_among_the_imports(
    bank: str, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.ECB_RATES_URL = f"{bank}/broken.xml"
    with committed(django_capture_on_commit_callbacks):
        jobs.fetch_rates()
    assert (Import.objects.get().state, Rate.objects.count()) == ("refused", 0)


def test_an_address_that_does_not_answer_breaks_nothing(bank: str, settings: Any) -> None:
    for url in (f"{bank}/none.xml", "http://127.0.0.1:1/x.xml", "file:///etc/passwd", "ftp://x/y"):
        settings.ECB_RATES_URL = url
        jobs.fetch_rates()
    assert not Import.objects.exists()


def test_too_large_or_too_slow_is_given_up(bank: str, monkeypatch: Any) -> None:
    with pytest.raises(FetchError, match="too large"):
        fetching.fetch(f"{bank}/eurofxref-daily.xml", io.BytesIO(), most=100)
    monkeypatch.setattr(fetching, "LONGEST_SECONDS", -1)
    with pytest.raises(FetchError, match="too slowly"):
        fetching.fetch(f"{bank}/eurofxref-daily.xml", io.BytesIO(), most=10_000)
