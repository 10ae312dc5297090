"""What entries of the journal tell people, and what machines may read of them: declared by the app that owns the verb.

An app's `notices.py` calls `register` and `publish` once, from its AppConfig.ready. What stands above (notifications) reads
the registry and delivers; nothing here sends.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from journal.models import Entry

Facts = Mapping[str, Any]


class How(StrEnum):
    """How a person is told beside the portal, where the notice always stands."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a person chooses about: one line of its preferences. A required one cannot be turned off, nor put off."""

    key: str
    label: Any  # lazy text
    is_required: bool = False


SECURITY = Kind("security", _("Security and bank details"), is_required=True)


@dataclass(frozen=True, slots=True)
class Members:
    """The people of the entry's partner who have one of these portal roles, and a login."""

    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Staff:
    """The staff who have a permission: "tiers.change_proposal"."""

    permission: str


@dataclass(frozen=True, slots=True)
class Named:
    """Whom `people` names: ids of users by the entry's id, for many entries in a fixed number of queries."""

    people: Callable[[Sequence[Entry]], Mapping[int, Collection[int]]]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is told, to whom, and in which words.

    `facts` gets many entries and gives, by an entry's id, what the templates and the link need, in a fixed number of
    queries; who is left out is not told. Facts are JSON, and read back by their names: what ends in `_on` is a day (given in
    ISO form), what maps languages to texts is read in the reader's. They hold no personal data of prospects.
    `template` names two templates: "tiers/mail/reached" has its title in `reached_subject.txt` and its text in
    `reached.txt`: paragraphs between empty lines, and lists of lines that begin with "- ". The mail's HTML is made of them.
    `link` is the path of the page that the notice is about, `go` what its button says.
    `sample` are facts to look at the notice with.
    """

    key: str  # "tiers.reached": stays, since it is stored
    verbs: Collection[str]
    label: Any  # lazy text, for staff
    kind: Kind
    to: Members | Staff | Named
    template: str
    facts: Callable[[Sequence[Entry]], Mapping[int, Facts]]
    link: Callable[[Facts], str]
    go: Any  # lazy text
    sample: Facts
    how: How = How.AT_ONCE


@dataclass(frozen=True, slots=True)
class Published:
    """What machines may read of a verb's entries: these keys of `before` and `after`, none of them personal."""

    verb: str
    label: Any  # lazy text
    fields: frozenset[str]


NOTICES: dict[str, Notice] = {}
PUBLISHED: dict[str, Published] = {}
_listeners: list[Callable[[], None]] = []


def register(*declared: Notice) -> None:
    """Declare notices. Raises ValueError for a key that is taken."""
    for notice in declared:
        if notice.key in NOTICES:
            raise ValueError(f"the notice {notice.key} is registered already")
        NOTICES[notice.key] = notice


def publish(verb: str, label: Any, *fields: str) -> None:
    """Let webhooks carry a verb's entries, with these keys of `before` and `after`. Raises ValueError for a verb twice."""
    if verb in PUBLISHED:
        raise ValueError(f"the verb {verb} is published already")
    PUBLISHED[verb] = Published(verb, label, frozenset(fields))


def listen(tell: Callable[[], None]) -> None:
    """Have `tell` called after each commit that holds entries which somebody is told of."""
    _listeners.append(tell)


def ids_of(entries: Iterable[Entry], label: str) -> set[int]:
    """The keys of the rows of one model ("leads.lead") that entries are about."""
    parted = (entry.subject.partition(":") for entry in entries)
    return {int(key) for model, _colon, key in parted if model == label}


def kinds() -> list[Kind]:
    """Every kind there is, in the order of its first notice."""
    return list({notice.kind.key: notice.kind for notice in NOTICES.values()}.values())


def verbs() -> frozenset[str]:
    """Every verb that a person is told of."""
    return frozenset(verb for notice in NOTICES.values() for verb in notice.verbs)


def tell_after_commit(recorded: Iterable[str]) -> None:
    """Called with the verbs of entries as they are written: once in each transaction, its commit calls the listeners."""
    if (PUBLISHED.keys() | verbs()).isdisjoint(recorded):
        return
    if not any(queued[1] is _tell for queued in connection.run_on_commit):
        transaction.on_commit(_tell, robust=True)


def _tell() -> None:
    for tell in _listeners:
        tell()
