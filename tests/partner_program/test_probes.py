"""What a load balancer asks, and what a visitor sees where there is nothing."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db


def test_healthz_says_that_the_process_lives_and_asks_nobody(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get("/healthz")
    assert (answer.status_code, len(asked)) == (200, 0)


def test_readyz_names_what_it_asked(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok"})


@pytest.mark.parametrize(("language", "says"), [("en", "There is nothing here"), ("fr", "Il n’y a rien ici")])
def test_an_unknown_address_is_answered_in_the_visitors_language(client: Client, language: str, says: str) -> None:
    answer = client.get("/nowhere/", HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 404
    assert says in answer.content.decode()
