"""The ledger verified: what was changed behind the database's triggers is named."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.signals import post_migrate, pre_migrate  # noqa: TID251  # what a migration sends

from commissions import sealing, touching
from commissions.models import Earning, Posting, Seal, Terms, Unsettled
from commissions.sealing import Fault
from common import noting
from tests.commissions.facts import holding, paying_program, run_night, sell

pytestmark = pytest.mark.django_db
MARCH = date(2026, 3, 1)


@contextmanager
def behind_the_triggers() -> Iterator[None]:
    """Whoever owns the database can do so."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'commissions_%'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        for _name, sql in triggers:
            cursor.execute(sql)


def sealed_ledger() -> None:
    """Two nights with a seal each: two lines in the first posting, one in the second."""
    program = paying_program()
    partner = holding(program)
    sell(partner, "100.00", MARCH)
    sell(partner, "200.00", MARCH)
    run_night(program, date(2026, 4, 2))
    sell(partner, "300.00", MARCH)
    run_night(program, date(2026, 4, 3))


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def change_an_amount() -> list[Fault]:
    line = Earning.objects.earliest("pk")
    execute("UPDATE commissions_earning SET amount = amount + 1 WHERE id = %s", line.pk)
    return [Fault("posting_digest", line.posting_id)]


def change_a_partner() -> list[Fault]:
    line = Earning.objects.latest("pk")
    other = holding(line.program)
    execute("UPDATE commissions_earning SET partner_id = %s WHERE id = %s", other.pk, line.pk)
    return [Fault("posting_digest", line.posting_id)]


def delete_a_line() -> list[Fault]:
    line = Earning.objects.earliest("pk")
    execute("DELETE FROM commissions_statementline WHERE earning_id = %s", line.pk)
    execute("DELETE FROM commissions_earning WHERE id = %s", line.pk)
    return [Fault("posting_lines", line.posting_id, 1, 2)]


def insert_a_line() -> list[Fault]:
    line = Earning.objects.latest("pk")
    line.pk, line.number = None, 2
    line.save(force_insert=True)
    return [Fault("posting_lines", line.posting_id, 2, 1)]


def change_a_line_and_its_posting() -> list[Fault]:
    """The digest of the posting is made anew: its seal still tells."""
    posting = Posting.objects.earliest("pk")
    execute("UPDATE commissions_earning SET amount = amount + 1 WHERE posting_id = %s", posting.pk)
    made = next(one for one in sealing._digests() if one[0] == posting.pk)
    execute("UPDATE commissions_posting SET digest = %s WHERE id = %s", made[2], posting.pk)
    return [Fault("seal_digest", 1)]


def change_a_seal() -> list[Fault]:
    execute("UPDATE commissions_seal SET digest = %s WHERE number = 1", "0" * 64)
    return [Fault("seal_digest", 1), Fault("seal_chain", 2)]


def delete_a_seal() -> list[Fault]:
    first = Seal.objects.get(number=1)
    execute("UPDATE commissions_posting SET seal_id = NULL WHERE seal_id = %s", first.pk)
    execute("DELETE FROM commissions_seal WHERE id = %s", first.pk)
    return [Fault("seal_chain", 2)]


def change_terms() -> list[Fault]:
    terms = Terms.objects.exclude(rule="").earliest("pk")
    execute("UPDATE commissions_terms SET rule = 'other' WHERE id = %s", terms.pk)
    return [Fault("terms_digest", terms.pk)]


TAMPERING: list[Callable[[], list[Fault]]] = [
    change_an_amount, change_a_partner, delete_a_line, insert_a_line, change_a_line_and_its_posting, change_a_seal,
    delete_a_seal, change_terms,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERING)
def test_what_was_changed_behind_the_triggers_is_named(tamper: Callable[[], list[Fault]]) -> None:
    sealed_ledger()
    assert list(sealing.verify()) == []
    with behind_the_triggers():
        faults = tamper()
    assert list(sealing.verify()) == faults


def test_a_ledger_that_stands_is_said_to_stand() -> None:
    sealed_ledger()
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first.startswith("3 lines of 2 postings under 2 seals in ")
    assert second == "Everything stands as it was sealed."


def test_each_fault_is_said_in_words_and_the_command_fails() -> None:
    sealed_ledger()
    with behind_the_triggers():
        (fault,) = delete_a_line()
    out = StringIO()
    with pytest.raises(CommandError, match="The ledger is not what was sealed: 1 faults.") as raised:
        call_command("verify_ledger", stdout=out)
    assert raised.value.returncode == 1
    assert out.getvalue().splitlines()[0] == (
        f"Posting {fault.subject}: 1 lines stand where 2 were posted: lines were taken away or added."
    )


def test_machines_read_json() -> None:
    sealed_ledger()
    with behind_the_triggers():
        (fault,) = change_an_amount()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_ledger", "--json", stdout=out)
    said, figures = map(json.loads, out.getvalue().splitlines())
    assert (said["fault"], said["subject"]) == ("posting_digest", fault.subject)
    assert figures.pop("seconds") >= 0
    assert figures == {"seals": 2, "postings": 2, "lines": 3, "unsealed_postings": 0, "faults": 1}


def test_migrating_puts_the_noting_triggers_back() -> None:
    """They are taken down before migrations and put up after: a sale made then is noted again."""
    program = paying_program()
    partner = holding(program)
    config = apps.get_app_config("commissions")
    up = noting._known(touching.PREFIX)
    assert len(up) == len(touching.notes())
    with transaction.atomic():
        pre_migrate.send(sender=config, app_config=config)
        assert noting._known(touching.PREFIX) == set()
        Unsettled.objects.all().delete()
        sell(partner, "100.00", MARCH)
        assert not Unsettled.objects.exists()
        post_migrate.send(sender=config, app_config=config, verbosity=0, using="default", interactive=False, apps=apps)
    assert noting._known(touching.PREFIX) == up
    sell(partner, "100.00", MARCH)
    assert Unsettled.objects.filter(program=program, partner=partner, since=MARCH).exists()
