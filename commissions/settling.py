"""What partners should earn beside what stands in the ledger: the differences, streamed. The night posts them, dry runs add them up."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from commissions import rules, streams
from commissions.reckoning import Book, Due, Exchange, Fact, Nothing, Reckoner, Terms
from commissions.situations import Situations
from commissions.streams import Partners, Segment, Stood
from common.money import SCALE, minor_unit
from rates.selectors import RateBook

Key = tuple[str, int, int, str, str]  # event, fact, partner, rule, currency
OF_LEDGER = -1
GONE = "gone"  # the fact is not there for this partner any more, or no plan counts on its day


class Line(NamedTuple):
    """A difference to post. Amounts are ten-thousandths."""

    owner: int
    partner: int
    event: str
    fact: int
    sale: int | None
    number: int
    kind: str
    on: date
    terms_on: date
    available_on: date
    terms: Terms
    base: int
    rate: Fraction
    before: int
    amount: int
    currency: str
    detail: dict[str, Any] | None
    changed_at: Any


class Unpaid(NamedTuple):
    """A fact that stands with nothing."""

    owner: int
    fact: Fact
    terms: Terms


@dataclass(slots=True)
class Ledger:
    """What stands for one partner's facts."""

    due: dict[Key, int] = field(default_factory=dict)
    last: dict[Key, Stood] = field(default_factory=dict)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    newest: dict[tuple[str, int], Stood] = field(default_factory=dict)
    known: set[tuple[str, int, int, str]] = field(default_factory=set)  # whom a rule ever paid for a fact
    rates: dict[tuple[str, int, str, str, str], dict[str, Any]] | None = None  # read when one is asked for

    @classmethod
    def of(cls, lines: Iterable[Stood]) -> "Ledger":
        ledger = cls()
        for line in lines:
            key = (line.event, line.fact, line.partner, line.rule, line.currency)
            ledger.due[key] = line.due
            ledger.last[key] = line
            ledger.numbers[line.event, line.fact] = line.number
            ledger.newest[line.event, line.fact] = line
            ledger.known.add(key[:4])
        return ledger

    def exchange(self, fact: Fact, source: str, target: str) -> dict[str, Any] | None:
        """The rate that a line of the fact holds for this pair and the fact's day: what was used once is kept."""
        if not self.last:
            return None
        if self.rates is None:
            self.rates = {}
            for line in self.last.values():
                for one in json.loads(line.detail).get("exchange", ()) if line.detail else ():
                    self.rates.setdefault((line.event, line.fact, one["from"], one["to"], one["for"]), one)
        found = self.rates.get((fact.event, fact.id, source, target, fact.on.isoformat()))
        return dict(found) if found else None


def differences(partners: Partners, known: Sequence[Segment]) -> Iterator[Line | Unpaid]:
    """Everything that has to be posted so that the ledger says what the plans say, for a range of partners, in order.

    `known` are the plans in force; a fixed number of statements whatever the size.
    """
    for settlement in settlements(partners, known):
        yield from settlement.lines()


@dataclass(slots=True)
class Settlement:
    """One partner: what its facts earn, and what stands."""

    partner: int
    reckoned: list[tuple[Book, Due | Nothing]]
    ledger: Ledger
    day: date  # facts before it alone are settled

    def lines(self) -> Iterator[Line | Unpaid]:
        due = _Differences(self.partner, self.ledger, self.day)
        for book, one in self.reckoned:
            if isinstance(one, Due):
                yield from due.of_due(book, one)
            else:
                due.nothing[one.fact.event, one.fact.id] = one
                yield Unpaid(self.partner, one.fact, one.terms)
        yield from due.of_the_rest()


def settlements(partners: Partners, known: Sequence[Segment]) -> Iterator[Settlement]:
    """Partner after partner, those with facts or with lines."""
    situations = Situations(partners, [one.book for one in known])
    worth = Worth()
    reckoners = [Reckoner(one.book, worth.find, units_of) for one in known]
    found: list[Iterator[tuple[int, Any]]] = [streams.stood(partners, known)]
    places = [OF_LEDGER]
    for place, segment in enumerate(known):
        own = streams.facts(partners, known, segment)
        found += own
        places += [place] * len(own)
    for partner, rows in streams.by_partner(found):
        lines: list[Stood] = []
        facts: dict[int, list[Fact]] = {}
        for stream, one in rows:
            place = places[stream]
            if place == OF_LEDGER:
                lines.append(one)
            else:
                facts.setdefault(place, []).append(one)
        ledger = worth.ledger = Ledger.of(lines)
        situation = situations.of(partner)
        reckoned = [
            (known[place].book, one)
            for place, own in sorted(facts.items())
            for one in reckoners[place].reckon(own, situation)
        ]
        yield Settlement(partner, reckoned, ledger, partners.day)


class _Differences:
    def __init__(self, partner: int, ledger: Ledger, day: date) -> None:
        self.partner, self.ledger, self.day = partner, ledger, day
        self.seen: set[Key] = set()
        self.terms: dict[tuple[str, int], tuple[Fact, Terms]] = {}
        self.nothing: dict[tuple[str, int], Nothing] = {}

    def of_due(self, book: Book, due: Due) -> Iterator[Line]:
        fact, ledger = due.fact, self.ledger
        if not ledger.due:  # nothing stands for any fact: mostly so when a partner is first settled
            before, number, is_first = 0, self._number(fact), True
        else:
            key = (fact.event, fact.id, due.partner, due.rule.code, due.currency)
            self.seen.add(key)
            self.terms[fact.event, fact.id] = fact, due.terms
            before = ledger.due.get(key, 0)
            if due.amount == before:
                return
            number, is_first = self._number(fact), key[:4] not in ledger.known
        yield Line(
            self.partner, due.partner, fact.event, fact.id, fact.sale, number,
            rules.kind_of_line(is_first=is_first, due=due.amount, adds=due.rule.adds), fact.on, fact.terms_on,
            days_after(fact.on, book.hold_days), due.terms, due.base, due.rate, before, due.amount - before, due.currency,
            due.detail, fact.changed_at,
        )  # fmt: skip

    def _number(self, fact: Fact) -> int:
        numbers = self.ledger.numbers
        number = numbers[fact.event, fact.id] = numbers.get((fact.event, fact.id), 0) + 1
        return number

    def of_the_rest(self) -> Iterator[Line]:
        """What stands and is due no longer, back to nothing; but what a later night posted for a day that has not come."""
        for key, stood in self.ledger.due.items():
            if stood == 0 or key in self.seen:
                continue
            event, pk, partner, rule, currency = key
            last = self.ledger.last[key]
            nothing = self.nothing.get((event, pk))
            fact, terms = self.terms.get((event, pk)) or ((nothing.fact, nothing.terms) if nothing else (None, None))
            newest = self.ledger.newest[event, pk]
            if fact is None and max(newest.on, newest.terms_on) >= self.day:
                continue
            if terms is None:
                terms = Terms(None, None, "", GONE, ())
            terms = terms._replace(rule=rule, reason=terms.reason or "other_rule")
            number = self.ledger.numbers[event, pk] = self.ledger.numbers[event, pk] + 1
            yield Line(
                self.partner, partner, event, pk, last.sale, number, "reversal", fact.on if fact else last.on,
                fact.terms_on if fact else last.terms_on, last.available_on, terms,
                (fact.net or 0) if fact else 0, Fraction(0), stood, -stood, currency, None,
                fact.changed_at if fact else None,
            )  # fmt: skip


def days_after(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days) if days else day


# --- Money ---------------------------------------------------------------------------------------

_UNITS: dict[str, int] = {}


def units_of(currency: str) -> int:
    """The smallest payable amount of a currency, in ten-thousandths."""
    try:
        return _UNITS[currency]
    except KeyError:
        units = _UNITS[currency] = int(minor_unit(currency) * SCALE)
        return units


class Worth:
    """Rates of exchange: what a line of the fact holds already, else what was published for the fact's day."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._book: RateBook | None = None

    def find(self, fact: Fact, source: str, target: str) -> Exchange | None:
        kept = self.ledger.exchange(fact, source, target)
        if kept is not None:
            return Exchange(Fraction(kept["value"]), kept)
        if self._book is None:
            self._book = RateBook(settings.EXCHANGE_RATE_SOURCE)
        found = self._book.find(source, target, fact.on)
        if found is None:
            return None
        said = {"from": source, "to": target, "for": fact.on.isoformat(), **found.as_json()}
        return Exchange(found.value, said)


@lru_cache(maxsize=10_000)
def rate_in_millionths(rate: Fraction) -> int:
    """As a line's column holds it: six decimals."""
    return rules.half_even(rate.numerator * 1_000_000, rate.denominator)


@lru_cache(maxsize=10_000)
def rate_of(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)
