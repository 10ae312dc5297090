"""Rows for tests. Every argument has a plain default; pass what the test is about."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import User
from leads.models import Collection, Sale
from partners.models import Location, Member, Partner
from tiers.models import Edition, Enrollment, Measure, Placement, Program, Tier
from training.models import Certificate, Certification

_numbers = count(1)
DAY = date(2026, 1, 1)


def make_user(**over: Any) -> User:
    n = next(_numbers)
    fields = {"email": f"person{n}@example.com", "name": f"Person {n}", "password": "correct horse battery", **over}
    return User.objects.create_user(**fields)


def make_staff(**over: Any) -> User:
    return make_user(**{"is_staff": True, "is_superuser": True, **over})


def make_partner(**over: Any) -> Partner:
    n = next(_numbers)
    fields = {"external_id": f"P{n}", "name": f"Partner {n}", "slug": f"partner-{n}", "joined_on": DAY, **over}
    return Partner.objects.create(**fields)


def make_location(partner: Partner, **over: Any) -> Location:
    fields = {
        "city": "Lyon",
        "postal_code": "69003",
        "country": "FR",
        "latitude": 45.7603,
        "longitude": 4.8494,
        "accuracy": Location.Accuracy.CITY,
        **over,
    }
    return Location.objects.create(partner=partner, **fields)


def make_member(partner: Partner, **over: Any) -> Member:
    n = next(_numbers)
    fields = {"external_id": f"M{n}", "name": f"Member {n}", "job": Member.Job.SALES, "joined_on": DAY, **over}
    return Member.objects.create(partner=partner, **fields)


def make_portal_user(partner: Partner, **over: Any) -> User:
    """A login whose membership lets it into the portal for `partner`."""
    user = make_user()
    make_member(partner, **{"user": user, "name": user.name, "role": Member.Role.OWNER, **over})
    return user


def make_sale(partner: Partner, **over: Any) -> Sale:
    n = next(_numbers)
    fields = {
        "external_id": f"S{n}",
        "order_number": f"O{n}",
        "sold_on": DAY,
        "amount": Decimal("100.00"),
        "currency": "USD",
        **over,
    }
    return Sale.objects.create(partner=partner, **fields)


def make_collection(sale: Sale, **over: Any) -> Collection:
    fields = {"external_id": f"K{next(_numbers)}", "amount": sale.amount, "collected_on": DAY, **over}
    return Collection.objects.create(sale=sale, **fields)


def make_program(**over: Any) -> Program:
    n = next(_numbers)
    fields = {"slug": f"program-{n}", "name": {"en": f"Program {n}", "fr": f"Programme {n}"}, "currency": "USD", **over}
    return Program.objects.create(**fields)


def make_edition(program: Program, **over: Any) -> Edition:
    """A draft with three tiers, `level-1` to `level-3`, and no rules yet."""
    n = next(_numbers)
    fields = {"name": f"Edition {n}", "starts_on": date(2016, 1, 1), **over}
    edition = Edition.objects.create(program=program, **fields)
    for rank in (1, 2, 3):
        Tier.objects.create(
            edition=edition, rank=rank, code=f"level-{rank}", name={"en": f"Level {rank}", "fr": f"Palier {rank}"}
        )
    return edition


def make_sales_edition(program: Program, *, second: str = "50000", third: str = "200000", **over: Any) -> Edition:
    """A draft whose levels 2 and 3 ask for net sales of the last twelve months."""
    edition = make_edition(program, **over)
    sales = Measure.objects.create(
        edition=edition,
        key="net-sales-12m",
        name={"en": "Net sales", "fr": "Chiffre d’affaires net"},
        definition={
            "aggregate": "sum",
            "dataset": "sales",
            "field": "amount",
            "window": {"last": 12, "unit": "months"},
        },
    )
    for rank, threshold in ((2, second), (3, third)):
        edition.tiers.filter(rank=rank).update(earn={"measure": sales.key, "is": "at_least", "value": threshold})
    return edition


def make_enrollment(partner: Partner, program: Program, **over: Any) -> Enrollment:
    """Enrolled, and not placed."""
    return Enrollment.objects.create(partner=partner, program=program, **{"starts_on": date(2016, 1, 1), **over})


def make_placement(enrollment: Enrollment, tier: Tier, **over: Any) -> Placement:
    fields = {"starts_on": enrollment.starts_on, "reason": Placement.Reason.JOINED, **over}
    return Placement.objects.create(enrollment=enrollment, tier=tier, **fields)


def make_certification(**over: Any) -> Certification:
    n = next(_numbers)
    return Certification.objects.create(
        **{"code": f"certification-{n}", "name": {"en": f"Certification {n}", "fr": f"Certification {n}"}, **over}
    )


def make_certificate(member: Member, certification: Certification | None = None, **over: Any) -> Certificate:
    """Valid from `DAY` without end."""
    fields = {"external_id": f"C{next(_numbers)}", "awarded_on": DAY, **over}
    return Certificate.objects.create(member=member, certification=certification or make_certification(), **fields)
