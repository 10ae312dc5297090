"""What a partner brings, written to the real tables: one partner for each case, thousands of rows in a few statements."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from leads.models import Product, Sale
from partners.models import Member, Partner
from records.models import Record, Score
from tests.factories import make_enrollment, make_location, make_partner, make_placement
from tiers.models import Attestation, Award, Edition, Enrollment, Program
from training.models import Certificate, Certification

LONG_AGO = date(2005, 1, 1)
_numbers = count(1)
Money = Decimal | int | str


class Scene:
    """A partner in a program, and what is written down about it. `save` writes it."""

    def __init__(self, program: Program, enrolled_on: date, *, country: str = "FR", **partner: Any) -> None:
        self.partner: Partner = make_partner(joined_on=enrolled_on, **partner)
        make_location(self.partner, country=country, is_main=True)
        self.enrollment: Enrollment = make_enrollment(self.partner, program, starts_on=enrolled_on)
        editions = Edition.objects.filter(program=program, state=Edition.State.PUBLISHED).order_by("starts_on")
        edition = editions.filter(starts_on__lte=enrolled_on).last() or editions[0]
        make_placement(self.enrollment, edition.tiers.get(rank=1), starts_on=enrolled_on)
        self.rows: list[Any] = []

    def record(self, kind: str, on: date, *, times: int = 1, **over: Any) -> None:
        """`times` records of a kind; an amount is in US dollars unless `currency` says otherwise."""
        if "amount" in over:
            over.setdefault("currency", "USD")
        self.rows += [
            Record(partner=self.partner, external_id=f"R{next(_numbers)}", kind=kind, occurred_on=on, **over)
            for _each in range(times)
        ]

    def records(self, kind: str, on: date, names: int, **over: Any) -> None:
        """Records of so many customers, each with its name."""
        for number in range(names):
            self.record(kind, on, name=f"Customer {number}", **over)

    def sale(self, on: date, amount: Money, currency: str = "USD", *, category: str = "", **over: Any) -> None:
        number = next(_numbers)
        if category:
            over["product"] = product_of(category)
        self.rows.append(
            Sale(
                partner=self.partner, external_id=f"S{number}", order_number=f"O{number}", sold_on=on,
                amount=Decimal(amount), currency=currency, **over,
            )
        )  # fmt: skip

    def people(self, number: int, *codes: str, until: date | None = None, left_on: date | None = None) -> None:
        """So many new people, each holding certificates of all these certifications."""
        for _each in range(number):
            key = next(_numbers)
            member = Member.objects.create(
                partner=self.partner, external_id=f"M{key}", name=f"Person {key}", job=Member.Job.TECHNICAL,
                joined_on=LONG_AGO, left_on=left_on,
            )  # fmt: skip
            self.rows += [
                Certificate(
                    member=member, certification=certification(code), external_id=f"C{next(_numbers)}",
                    awarded_on=LONG_AGO, expires_on=until,
                )
                for code in codes
            ]  # fmt: skip

    def attest(self, kind: str, times: int = 1, *, since: date = LONG_AGO, until: date | None = None) -> None:
        self.rows += [
            Attestation(enrollment=self.enrollment, kind=kind, title=kind, starts_on=since, ends_on=until)
            for _each in range(times)
        ]

    def award(self, code: str, *, scope: str = "", until: date | None = None) -> None:
        self.rows.append(
            Award(
                partner=self.partner, code=code, scope=scope, origin=Award.Origin.IMPORTED, starts_on=LONG_AGO,
                ends_on=until,
            )
        )  # fmt: skip

    def score(self, kind: str, value: Money, on: date, scope: str = "") -> None:
        self.rows.append(Score(partner=self.partner, kind=kind, value=Decimal(value), scope=scope, scored_on=on))


def product_of(category: str) -> Product:
    made, _created = Product.objects.get_or_create(
        external_id=category, defaults={"name": {"en": category}, "category_code": category}
    )
    return made


def certification(code: str) -> Certification:
    made, _created = Certification.objects.get_or_create(code=code, defaults={"name": {"en": code, "fr": code}})
    return made


def save(scenes: list[Scene]) -> None:
    for model in (Sale, Certificate, Record, Attestation, Award, Score):
        model.objects.bulk_create([row for scene in scenes for row in scene.rows if isinstance(row, model)])


def months_before(day: date, months: int) -> date:
    """The same day so many months before; the tables use days that every month has."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, day.day)


def eve(day: date) -> date:
    return day - timedelta(days=1)
