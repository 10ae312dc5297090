import pytest
from django.db import IntegrityError, transaction

from journal.models import Entry
from journal.services import record

pytestmark = pytest.mark.django_db


def test_an_entry_is_never_changed() -> None:
    entry = record(verb="tests.thing.done", subject="tests.thing:1")
    with pytest.raises(IntegrityError, match="journal_entry is append-only"), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(verb="tests.thing.undone")
    assert Entry.objects.get(pk=entry.pk).verb == "tests.thing.done"


def test_an_entry_is_never_deleted() -> None:
    entry = record(verb="tests.thing.done", subject="tests.thing:1")
    with pytest.raises(IntegrityError, match="journal_entry is append-only"), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).delete()
    assert Entry.objects.filter(pk=entry.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", [1, 2])
def test_emptying_the_database_between_tests_leaves_the_triggers(round_: int) -> None:
    assert not Entry.objects.exists()
    entry = record(verb="tests.thing.done", subject="tests.thing:1")
    with pytest.raises(IntegrityError, match="is append-only"):
        entry.delete()
