"""A program in the database, things that happen to it, and the same told to the oracle by reading the tables."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

from django.db.models import QuerySet

from commissions.models import Earning, PayoutCurrency, Plan, Unpaid
from commissions.services import publish_plan
from leads.models import Collection, Deal, Lead, Offer, Sale, Split
from partners.models import Location, Partner, Sponsorship
from rates.models import Rate, RateSource
from records.models import PlanTarget, Record
from tests.commissions import plan_oracle as oracle
from tests.commissions.facts import run_night, tier
from tests.factories import (
    make_certificate,
    make_certification,
    make_edition,
    make_enrollment,
    make_location,
    make_member,
    make_partner,
    make_placement,
    make_program,
    make_sale,
)
from tiers.models import Edition, Enrollment, Placement
from training.models import Certificate

FIRST = date(2025, 1, 1)
CUSTOMERS = ("", "Acme", "Globex")
COUNTS_AS = {"EUR": "1.25", "JPY": "0.01"}
RANKS = {"level-1": 1, "level-2": 2, "level-3": 3}
_numbers = count(1)


def fraction(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


class PlanWorld:
    """Four partners, three of them in the program. Indexes are taken modulo what there is; nothing happens where nothing is."""

    def __init__(self, plan: dict[str, Any], starts_on: date = FIRST, chunk_size: int = 2000) -> None:
        self.chunk_size, self.ledger = chunk_size, oracle.Ledger()
        self.program = make_program()
        edition = make_edition(self.program, starts_on=FIRST)
        exchange = {code: {"amount": 1, "is": float(worth)} for code, worth in COUNTS_AS.items()}
        Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED, exchange=exchange)
        self.partners = [make_partner(traits={"segment": "smb"} if number % 2 else {}) for number in range(4)]
        self.members = [make_member(partner) for partner in self.partners]
        self.certifications = [make_certification(code=f"cert-{number}-{next(_numbers)}") for number in range(2)]
        for partner in self.partners[:2]:
            make_location(partner, country="FR", is_main=True)
        for number, partner in enumerate(self.partners[:3]):
            make_enrollment(partner, self.program, starts_on=FIRST)
            self.place(number, "level-1", FIRST)
        RateSource.objects.get_or_create(code="ecb", defaults={"name": {"en": "ECB", "fr": "BCE"}, "base": "EUR"})
        self.publish(plan, starts_on, None)

    def do(self, events: Sequence[tuple[Any, ...]]) -> None:
        for name, *arguments in events:
            getattr(self, name)(*arguments)

    def pick(self, rows: QuerySet[Any], index: int) -> QuerySet[Any]:
        """One of the rows, as a query; an empty one where there is none."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        return rows.model.objects.filter(pk__in=keys and [keys[index % len(keys)]])

    # --- Sales

    def sell(self, partner: int, on: date, amount: Decimal, currency: str, **more: Any) -> None:
        make_sale(self.partners[partner], sold_on=on, amount=amount, currency=currency,
                  kind=Sale.Kind.REFUND if amount < 0 else more.pop("kind", Sale.Kind.NEW), **more)  # fmt: skip

    def sale(self, partner: int, on: date, amount: Decimal, currency: str, customer: str, quantity: int, cost: Decimal | None,
             recurs: bool, sourced: str, kind: str) -> None:  # fmt: skip
        self.sell(partner, on, amount, currency, customer_name=customer, quantity=quantity, cost=cost, sourced=sourced,
                  recurring_amount=(amount / 2).quantize(Decimal("0.0001")) if recurs else None, kind=kind)  # fmt: skip

    @property
    def purchases(self) -> QuerySet[Sale]:
        return Sale.objects.filter(partner__in=self.partners).exclude(kind="refund")

    @property
    def sales(self) -> QuerySet[Sale]:
        return Sale.objects.filter(partner__in=self.partners)

    def refund(self, index: int, days: int, share: str, linked: bool) -> None:
        for sale in self.pick(self.purchases, index):
            amount = -(sale.amount * Decimal(share)).quantize(Decimal("0.01"))
            make_sale(sale.partner, sold_on=sale.sold_on + timedelta(days=days), amount=amount, currency=sale.currency,
                      customer_name=sale.customer_name, kind=Sale.Kind.REFUND, refund_of=sale if linked else None)  # fmt: skip

    def change_amount(self, index: int, share: str) -> None:
        for sale in self.pick(self.sales, index):
            amount = (sale.amount * Decimal(share)).quantize(Decimal("0.01"))
            self.pick(self.sales, index).update(amount=amount, recurring_amount=None)

    def change_day(self, index: int, on: date) -> None:
        self.pick(self.sales, index).update(sold_on=on)

    def change_partner(self, index: int, partner: int) -> None:
        self.pick(self.sales, index).update(partner=self.partners[partner])

    def change_currency(self, index: int, currency: str) -> None:
        self.pick(self.sales, index).update(currency=currency)

    def change_customer(self, index: int, customer: str) -> None:
        self.pick(self.sales, index).update(customer_name=customer)

    def change_kind(self, index: int, kind: str) -> None:
        self.pick(self.purchases, index).update(kind=kind)

    def void(self, index: int) -> None:
        self.pick(self.sales, index).update(voided_at=noon(FIRST), void_reason="deleted")

    def restore(self, index: int) -> None:
        self.pick(self.sales.filter(voided_at__isnull=False), index).update(voided_at=None, void_reason="")

    def link(self, index: int, sale: int) -> None:
        one = self.pick(self.purchases, sale).first()
        self.pick(self.sales.filter(kind="refund"), index).update(refund_of=one)

    def unlink(self, index: int) -> None:
        self.pick(self.sales.filter(refund_of__isnull=False), index).update(refund_of=None)

    def split(self, index: int, parts: Sequence[int]) -> None:
        """Shares of the partners in order; 0 for none."""
        for sale in self.pick(self.sales, index):
            Split.objects.filter(sale=sale).delete()
            for partner, one in zip(self.partners, parts, strict=False):
                if one:
                    Split.objects.create(sale=sale, partner=partner, parts=one)

    def collect(self, index: int, days: int, amount: Decimal) -> None:
        for sale in self.pick(self.sales, index):
            Collection.objects.create(sale=sale, external_id=f"K{next(_numbers)}", amount=amount,
                                      collected_on=sale.sold_on + timedelta(days=days))  # fmt: skip

    def change_collection(self, index: int, on: date, amount: Decimal) -> None:
        rows = Collection.objects.filter(sale__partner__in=self.partners)
        self.pick(rows, index).update(collected_on=on, amount=amount)

    # --- Deals, leads, people, records

    def deal(
        self, partner: int, on: date, amount: Decimal, currency: str, of_lead: bool, won: bool, sourced: str
    ) -> None:
        lead = None
        if of_lead:
            lead = Lead.objects.create(partner=self.partners[partner], source="staff", status="converted", contact_name="A",
                                       contact_email="a@example.com", need="x")  # fmt: skip
        Deal.objects.create(partner=self.partners[partner], lead=lead, title="Deal", customer_name="Acme", amount=amount,
                            currency=currency, sourced=sourced, expected_on=on, status="won" if won else "approved",
                            closed_on=on if won else None, decided_at=noon(on - timedelta(days=5)))  # fmt: skip

    def change_deal(self, index: int, on: date, amount: Decimal) -> None:
        self.pick(Deal.objects.filter(partner__in=self.partners), index).update(
            amount=amount, closed_on=on, decided_at=noon(on)
        )

    def accept(self, partner: int, on: date, source: str, country: str) -> None:
        lead = Lead.objects.create(partner=self.partners[partner], source=source, status="accepted", contact_name="A",
                                   contact_email="a@example.com", need="x", country=country)  # fmt: skip
        Offer.objects.create(lead=lead, partner=self.partners[partner], answer="accepted", answered_at=noon(on))

    def change_lead(self, index: int, country: str) -> None:
        self.pick(Lead.objects.filter(offers__partner__in=self.partners), index).update(country=country)

    def award(self, partner: int, on: date, certification: int) -> None:
        make_certificate(self.members[partner], self.certifications[certification], awarded_on=on)

    def unaward(self, index: int) -> None:
        self.pick(Certificate.objects.filter(member__in=self.members), index).delete()

    def change_job(self, partner: int, job: str) -> None:
        self.pick(type(self.members[0]).objects.filter(pk=self.members[partner].pk), 0).update(job=job)

    def record(
        self, partner: int, on: date, amount: Decimal | None, currency: str, quantity: Decimal | None, size: str
    ) -> None:
        Record.objects.create(external_id=f"R{next(_numbers)}", partner=self.partners[partner], kind="event", name="Show",
                              occurred_on=on, amount=amount, currency="" if amount is None else currency, quantity=quantity,
                              attributes={"size": size} if size else {})  # fmt: skip

    def change_record(self, index: int, on: date) -> None:
        self.pick(Record.objects.filter(partner__in=self.partners), index).update(occurred_on=on)

    def unrecord(self, index: int) -> None:
        self.pick(Record.objects.filter(partner__in=self.partners), index).delete()

    # --- Tiers, sponsors, targets, currencies

    def place(self, partner: int, code: str, on: date) -> None:
        """A tier from a day on, also from one that was paid already."""
        enrollment = Enrollment.objects.get(partner=self.partners[partner], program=self.program)
        held = dict(Placement.objects.filter(enrollment=enrollment).values_list("starts_on", "tier__code"))
        held[on] = code
        Placement.objects.filter(enrollment=enrollment).delete()
        starts = sorted(held)
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            make_placement(enrollment, tier(self.program, held[start]), starts_on=start, ends_on=end,
                           reason=Placement.Reason.GRANTED)  # fmt: skip

    def leave(self, partner: int, on: date | None) -> None:
        Enrollment.objects.filter(partner=self.partners[partner], program=self.program).update(ends_on=on)

    def sponsor(self, partner: int, sponsor: int, on: date) -> None:
        """From a day on another sponsor, or none (itself)."""
        rows = Sponsorship.objects.filter(partner=self.partners[partner])
        rows.filter(starts_on__gte=on).delete()
        rows.filter(ends_on__isnull=True).update(ends_on=on)
        if partner != sponsor:
            Sponsorship.objects.create(partner=self.partners[partner], sponsor=self.partners[sponsor], starts_on=on)

    def target(
        self, partner: int, key: str, on: date, days: int, amount: Decimal | None, currency: str, quantity: Decimal
    ) -> None:
        PlanTarget.objects.filter(partner=self.partners[partner], key=key, starts_on=on).delete()
        PlanTarget.objects.create(partner=self.partners[partner], key=key, starts_on=on, ends_on=on + timedelta(days=days),
                                  amount=amount, currency="" if amount is None else currency,
                                  quantity=quantity if amount is None else None)  # fmt: skip

    def pay_in(self, partner: int, currency: str, on: date) -> None:
        rows = PayoutCurrency.objects.filter(partner=self.partners[partner])
        if not rows.filter(starts_on=on).exists():
            PayoutCurrency.objects.create(partner=self.partners[partner], currency=currency, starts_on=on)

    def quote(self, currency: str, on: date, value: str) -> None:
        """A rate of the euro, where there is none near its day: what was found before stays what is found."""
        days = (on - timedelta(days=14), on + timedelta(days=14))
        if not Rate.objects.filter(source="ecb", quote=currency, on__range=days).exists():
            Rate.objects.create(source_id="ecb", base="EUR", quote=currency, on=on, value=Decimal(value))

    def move_country(self, partner: int, country: str) -> None:
        Location.objects.filter(partner=self.partners[partner]).update(country=country)

    def label(self, partner: int, segment: str) -> None:
        Partner.objects.filter(pk=self.partners[partner].pk).update(traits={"segment": segment} if segment else {})

    def publish(self, plan: dict[str, Any], starts_on: date, lasts: int | None) -> None:
        ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
        publish_plan(program=self.program, name={"en": "Plan", "fr": "Plan"}, starts_on=starts_on, ends_on=ends_on,
                     definition=plan)  # fmt: skip

    # --- Nights

    def night(self, day: date) -> oracle.Result:
        """Runs it twice: what stands is what the oracle says, and the second one posts nothing."""
        run_night(self.program, day, chunk_size=self.chunk_size)
        expected = oracle.night(self.told(), day, self.ledger)
        assert unlike(stands(), expected.stands) == {}, unlike(stands(), expected.stands)
        assert unlike(self.nothing(), expected.nothing) == {}, unlike(self.nothing(), expected.nothing)
        self.ledger.posted(expected)
        lines = Earning.objects.count()
        run_night(self.program, day, chunk_size=self.chunk_size)
        assert Earning.objects.count() == lines
        follow_each_other()
        return expected

    def earlier_night(self, day: date) -> None:
        """A night of an earlier day, run again: what is of its own day and later stays as it was."""
        before = stands(since=day)
        run_night(self.program, day, chunk_size=self.chunk_size)
        assert stands(since=day) == before
        lines = Earning.objects.count()
        run_night(self.program, day, chunk_size=self.chunk_size)
        assert Earning.objects.count() == lines
        follow_each_other()

    def nothing(self) -> dict[tuple[str, int], str]:
        rows = Unpaid.objects.filter(program=self.program).values_list("event", "fact", "terms__reason")
        return {(event, fact): reason for event, fact, reason in rows}

    def lines(self) -> list[tuple[Any, ...]]:
        """All, without the keys of the database: facts and partners by their place."""
        partners = {partner.pk: number for number, partner in enumerate(self.partners)}
        facts: dict[str, list[int]] = {}
        told = Earning.objects.select_related("terms").order_by("event", "fact", "owner_id", "number")
        for line in told:
            facts.setdefault(line.event, []).append(line.fact)
        places = {event: {fact: place for place, fact in enumerate(dict.fromkeys(own))} for event, own in facts.items()}
        return [
            (line.event, places[line.event][line.fact], partners[line.owner_id], line.number, partners[line.partner_id], line.rule,
             line.kind, line.earned_on, line.terms_on, line.available_on, line.base, line.rate, line.before, line.amount, line.currency)
            for line in told
        ]  # fmt: skip

    # --- For the oracle

    def told(self) -> oracle.World:
        """The tables, as plain lists."""
        world = oracle.World(
            currency=self.program.currency,
            counts_as={code: Fraction(one) for code, one in COUNTS_AS.items()},
            ranks=RANKS,
        )
        for plan in Plan.objects.published().filter(program=self.program).order_by("version"):
            world.plans.append(oracle.Plan(plan.starts_on, plan.ends_on, plan.definition))
        self._tell_sales(world)
        self._tell_facts(world)
        self._tell_partners(world)
        for base, quote, on, value in (
            Rate.objects.filter(source="ecb").order_by("version").values_list("base", "quote", "on", "value")
        ):
            world.rates[base, quote, on] = Fraction(value)
        return world

    def _tell_sales(self, world: oracle.World) -> None:
        for one in self.sales:
            world.sales[one.pk] = oracle.Sale(
                partner=one.partner_id, on=one.sold_on, amount=Fraction(one.amount), currency=one.currency, kind=one.kind,
                cost=fraction(one.cost), recurring=fraction(one.recurring_amount), quantity=one.quantity,
                customer=one.customer_name, sourced=one.sourced, refund_of=one.refund_of_id, voided=one.voided_at is not None,
            )  # fmt: skip
        for one in Collection.objects.filter(sale__partner__in=self.partners):
            world.collections[one.pk] = oracle.Collection(one.sale_id, one.collected_on, Fraction(one.amount))
        for sale, partner, parts in Split.objects.values_list("sale_id", "partner_id", "parts"):
            world.splits.setdefault(sale, {})[partner] = parts

    def _tell_facts(self, world: oracle.World) -> None:
        for one in Deal.objects.filter(partner__in=self.partners):
            decided = None if one.decided_at is None else one.decided_at.date()
            world.deals[one.pk] = oracle.Deal(one.partner_id, Fraction(one.amount), one.currency, one.customer_name, one.status,
                                              one.closed_on, decided, one.lead_id is not None, one.sourced)  # fmt: skip
        for one in Offer.objects.filter(partner__in=self.partners).select_related("lead"):
            assert one.answered_at is not None
            world.offers[one.pk] = oracle.Offer(
                one.partner_id, one.answer, one.answered_at.date(), one.lead.source, one.lead.country
            )
        for one in Certificate.objects.filter(member__in=self.members).select_related("member", "certification"):
            world.certificates[one.pk] = oracle.Certificate(
                one.member.partner_id, one.awarded_on, one.certification.code, one.member.job
            )
        for one in Record.objects.filter(partner__in=self.partners):
            world.records[one.pk] = oracle.Record(one.partner_id, one.occurred_on, one.kind, one.name, fraction(one.amount),
                                                  one.currency, fraction(one.quantity), one.attributes)  # fmt: skip

    def _tell_partners(self, world: oracle.World) -> None:
        for one in Enrollment.objects.filter(program=self.program):
            world.enrolled[one.partner_id] = one.starts_on, one.ends_on
        for one in Placement.objects.filter(enrollment__program=self.program).select_related("enrollment", "tier"):
            held = oracle.Placement(one.pk, one.starts_on, one.ends_on, one.tier.code)
            world.placements.setdefault(one.enrollment.partner_id, []).append(held)
        for one in Sponsorship.objects.order_by("starts_on"):
            world.sponsorships.append(oracle.Sponsorship(one.partner_id, one.sponsor_id, one.starts_on, one.ends_on))
        for one in PlanTarget.objects.all():
            world.targets.append(oracle.Target(one.partner_id, one.key, one.starts_on, one.ends_on, fraction(one.amount),
                                               one.currency, fraction(one.quantity)))  # fmt: skip
        for one in PayoutCurrency.objects.all():
            world.payout.setdefault(one.partner_id, {})[one.starts_on] = one.currency
        for one in Location.objects.filter(is_main=True):
            world.country[one.partner_id] = one.country
        for one in self.partners:
            one.refresh_from_db()
            world.traits[one.pk] = one.traits


def unlike(found: dict[Any, Any], expected: dict[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """Where two say different things: what was found and what was expected."""
    return {
        key: (found.get(key), expected.get(key))
        for key in sorted({*found, *expected}) if found.get(key) != expected.get(key)
    }  # fmt: skip


def stands(since: date | None = None) -> dict[oracle.Key, Fraction]:
    """What the lines come to; with `since` of facts whose newest line is of that day or later."""
    found: dict[oracle.Key, Fraction] = {}
    newest: dict[tuple[str, int], date] = {}
    for line in Earning.objects.exclude(event="manual").select_related("terms").order_by("number"):
        key = (line.event, line.fact, line.partner_id, line.rule, line.currency)
        found[key] = found.get(key, Fraction(0)) + Fraction(line.amount)
        newest[key[:2]] = max(line.earned_on, line.terms_on)
    return {key: amount for key, amount in found.items() if amount and (since is None or newest[key[:2]] >= since)}


def follow_each_other() -> None:
    """Lines of a fact of one owner count from one, and each says what stood before it."""
    numbers: dict[Any, int] = {}
    stood: dict[Any, Decimal] = {}
    for line in (
        Earning.objects.exclude(event="manual").select_related("terms").order_by("owner_id", "event", "fact", "number")
    ):
        fact = (line.owner_id, line.event, line.fact)
        numbers[fact] = numbers.get(fact, 0) + 1
        assert line.number == numbers[fact]
        money = (*fact, line.partner_id, line.rule, line.currency)
        assert line.before == stood.get(money, Decimal(0))
        stood[money] = line.before + line.amount
