"""The sample: a published data set of resellers and their sales, and, marked as made up, the people around it."""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from textwrap import shorten
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from common.periods import add_months, program_today, trailing_months
from imports.engine import Importer, Row
from invoices import services as invoices
from invoices.selectors import mandate_text
from leads import services as leads
from leads.imports import ProductImporter, SaleImporter
from leads.models import Deal, Lead, Offer, Sale
from partners.imports import PartnerImporter
from partners.models import Member, Partner
from rates.imports import RateImporter, plain_mapping
from rates.sources import ECB
from tiers import program_file
from tiers import services as tiers
from tiers.models import Attestation, Enrollment, Program
from training.models import Certificate, Certification

SAMPLES: Path = settings.BASE_DIR / "samples"
FACTS = SAMPLES / "adventureworks"
PROGRAM = SAMPLES / "programs" / "resellers.json"
NET_SALES_PROGRAM = FACTS / "net-sales-only.json"
RATES = SAMPLES / "rates" / "eurofxref-hist.zip"
FIRST_LINE, FIRST_DAY = "SO43659-1", date(2017, 7, 1)  # of the published sales
LAST_MONTH = date(2020, 5, 1)

PASSWORD = "demo-partner-program"  # noqa: S105  # printed by `make demo`
STAFF, PARTNER = "staff@demo.example", "partner@demo.example"

Take = Callable[[type[Importer], Path, Any], Any]


def load(take: Take, *, keep_dates: bool) -> Program:
    """Program, partners, products, sales, exchange rates and enrollments; without `keep_dates` moved to end last month, with people.

    `take(importer, path, mapping)` brings a file in. Repeating changes nothing.
    """
    program = program_file.import_program(NET_SALES_PROGRAM if keep_dates else PROGRAM)
    months = 0 if keep_dates else shift()
    for importer, name in (
        (PartnerImporter, "resellers"),
        (ProductImporter, "products"),
        (SaleImporter, "reseller_sales"),
    ):
        mapping = json.loads((FACTS / f"{name}.mapping.json").read_text(encoding="utf-8"))
        take(_shifted(importer, months), FACTS / f"{name}.csv.gz", mapping)
    take(RateImporter, RATES, plain_mapping(ECB))  # on their own days: a rate is of the day it was published
    tiers.enroll_all(program=program)
    if not keep_dates:
        add_people(program)
    return program


def shift() -> int:
    """By how many months the sample's dates move, so that its newest month is the last full one.

    Once loaded, the sample stays where it is.
    """
    loaded = Sale.objects.filter(external_id=FIRST_LINE).values_list("sold_on", flat=True).first()
    if loaded is not None:
        return (loaded.year - FIRST_DAY.year) * 12 + loaded.month - FIRST_DAY.month
    last_full = add_months(program_today().replace(day=1), -1)
    return (last_full.year - LAST_MONTH.year) * 12 + last_full.month - LAST_MONTH.month


def _shifted(importer: type[Importer], months: int) -> type[Importer]:
    """The importer, with every day of its rows moved by whole months."""
    if not months:
        return importer

    class Shifted(importer):  # type: ignore[misc, valid-type]
        def check(self, rows: list[Row]) -> None:
            for row in rows:
                for name, value in row.values.items():
                    if isinstance(value, date):
                        row.values[name] = add_months(value, months)
            super().check(rows)

    return Shifted


# --- Made up: teams, attestations, leads and deals, the same on every machine ------------------------

CERTIFICATIONS = {
    "sales-essentials": ({"en": "Sales essentials", "fr": "Les fondamentaux de la vente"}, 24),
    "product-expert": ({"en": "Product expert", "fr": "Expert produits"}, 24),
    "workshop": ({"en": "Workshop", "fr": "Atelier"}, 36),
}
FIRST_NAMES = (
    "Camille", "Jeanne", "Karim", "Louise", "Mathieu", "Nadia", "Olivier", "Priya", "Quentin", "Rosa", "Samuel",
    "Thérèse", "Ulysse", "Valérie", "William", "Yasmine", "Zoé", "Aisha", "Benoît", "Chloé", "Daniel", "Élodie",
)  # fmt: skip
LAST_NAMES = (
    "Martin", "Bernard", "Dubois", "Petit", "Durand", "Leroy", "Moreau", "Garcia", "Fournier", "Lambert", "Nguyen",
    "Rousseau", "Silva", "Wagner", "O’Brien", "Müller", "Patel", "Kowalski", "Haddad", "Lefèvre",
)  # fmt: skip
JOBS = {
    Member.Job.SALES: "Sales representative", Member.Job.TECHNICAL: "Workshop technician",
    Member.Job.MARKETING: "Marketing manager",
}  # fmt: skip
ATTESTED = {
    "business-plan": "Business plan · Plan d’affaires",
    "joint-campaign": "Joint campaign · Campagne commune",
    "case-study": "Case study · Étude de cas",
}
NEEDS = (
    ("Ville de Villeurbanne", "Villeurbanne", "FR", "Trente vélos de service avec contrat d’entretien, livrés avant l’été."),
    ("Lycée Ampère", "Lyon", "FR", "Un parc de vingt VTT pour la section sportive, et la formation de deux professeurs."),
    ("Northside Couriers", "Portland", "US", "Twelve cargo bikes with spare batteries, and a weekly service round."),
    ("Harbour Hotel", "Vancouver", "CA", "Eight touring bikes for guests, with helmets and locks."),
    ("Stadtwerke Nord", "Hamburg", "DE", "Fünfzehn Diensträder für den Außendienst."),
    ("Green Valley College", "Leeds", "GB", "Forty road bikes for a student hire scheme."),
)  # fmt: skip


def add_people(program: Program) -> None:
    """Logins, teams, attestations, leads and deals. Does nothing where the demo's people are there."""
    if User.objects.filter(email=PARTNER).exists():
        return
    with transaction.atomic():
        staff = User.objects.create_superuser(STAFF, PASSWORD, name="Sam Staff")
        ranked = _by_net_sales(program)
        certifications = _certifications()
        for place, (partner, _amount) in enumerate(ranked[:120]):
            _add_team(partner, place, certifications)
            _attest(Enrollment.objects.get(partner=partner, program=program), place, staff)
        demo = next((one for one, amount in ranked if amount < 175_000), ranked[-1][0])
        user = _add_demo_login(demo)
        _add_invoicing(demo, user, staff)
        _add_leads(demo, [partner for partner, _amount in ranked[:30] if partner != demo], staff, user)


def _by_net_sales(program: Program) -> list[tuple[Partner, Decimal]]:
    """Partners by their net sales of the last twelve months, highest first."""
    window = trailing_months(program_today(), 12)
    sums = (
        Sale.objects.standing()
        .filter(sold_on__gte=window.starts_on, sold_on__lt=window.ends_on, currency=program.currency)
        .order_by()
        .values_list("partner")
        .annotate(total=Sum("amount"))
        .order_by("-total", "partner")
    )
    ranked = list(sums)
    partners = Partner.objects.in_bulk([pk for pk, _total in ranked])
    return [(partners[pk], total) for pk, total in ranked]


def _certifications() -> list[Certification]:
    return [
        Certification.objects.get_or_create(code=code, defaults={"name": name, "valid_months": months})[0]
        for code, (name, months) in CERTIFICATIONS.items()
    ]


def _add_team(partner: Partner, place: int, certifications: Sequence[Certification]) -> None:
    """Four to nine people; of the partners that sell most, two in three have most of their sales people certified."""
    chance, today = Random(f"team {partner.external_id}"), program_today()  # noqa: S311  # sample data
    members = Member.objects.bulk_create(
        Member(
            partner=partner,
            external_id=f"made-up-{partner.external_id}-{number}",
            name=f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}",
            email=f"person{number}@partner{partner.external_id}.example",
            job=job,
            job_title=JOBS[job],
            joined_on=max(partner.joined_on, today - timedelta(days=chance.randrange(500, 900))),
            left_on=today - timedelta(days=chance.randrange(10, 200)) if number == 5 and place % 7 == 0 else None,
            is_made_up=True,
        )
        for number, job in enumerate(_jobs(chance))
    )
    share = 1.0 if place % 3 else 0.55
    Certificate.objects.bulk_create(
        _certificate(member, certifications, chance, today)
        for member in members
        if member.job == Member.Job.TECHNICAL or chance.random() < share
    )


def _jobs(chance: Random) -> list[Member.Job]:
    sales, others = chance.randrange(3, 7), chance.randrange(1, 4)
    return [Member.Job.SALES] * sales + [Member.Job.TECHNICAL, Member.Job.MARKETING, Member.Job.TECHNICAL][:others]


def _certificate(member: Member, known: Sequence[Certification], chance: Random, today: date) -> Certificate:
    certification = known[2] if member.job == Member.Job.TECHNICAL else known[chance.randrange(2)]
    awarded = max(member.joined_on, today - timedelta(days=chance.randrange(40, 700)))
    return Certificate(
        external_id=f"{member.external_id}-{certification.code}",
        member=member,
        certification=certification,
        awarded_on=awarded,
        expires_on=add_months(awarded, certification.valid_months or 24),
        is_made_up=True,
    )


def _attest(enrollment: Enrollment, place: int, author: User) -> None:
    today = program_today()
    kinds = list(ATTESTED)[: (3, 2, 1, 2)[place % 4]]
    for number, kind in enumerate(kinds):
        starts_on = add_months(today, -14 + number)
        tiers.attest(
            enrollment=enrollment, kind=kind, title=ATTESTED[kind], starts_on=starts_on,
            ends_on=add_months(starts_on, 36), author=author, is_made_up=True,
        )  # fmt: skip


def _add_demo_login(partner: Partner) -> User:
    """The owner of the demo's partner, whose team is one certificate short of the next tier's share."""
    user = User.objects.create_user(PARTNER, PASSWORD, name="Claire Fontaine")
    today, first = program_today(), Certification.objects.get(code="sales-essentials")
    Member.objects.filter(partner=partner).delete()
    Member.objects.create(
        partner=partner, user=user, external_id="made-up-demo-owner", name=user.name, email=user.email,
        job=Member.Job.MANAGEMENT, job_title="Owner", role=Member.Role.OWNER, joined_on=partner.joined_on,
        is_made_up=True,
    )  # fmt: skip
    for number, name in enumerate(("Karim Benali", "Jeanne Moreau", "Thomas O’Brien", "Zoé Lefèvre")):
        member = Member.objects.create(
            partner=partner, external_id=f"made-up-demo-{number}", name=name, job=Member.Job.SALES,
            job_title=JOBS[Member.Job.SALES], joined_on=add_months(today, -20), is_made_up=True,
        )  # fmt: skip
        if number:
            awarded = add_months(today, -24 + number * 4) + timedelta(days=12)
            Certificate.objects.create(
                external_id=f"made-up-demo-{number}", member=member, certification=first, is_made_up=True,
                awarded_on=max(awarded, member.joined_on) if number > 1 else awarded,
                expires_on=today + timedelta(days=20 + 90 * number),
            )  # fmt: skip
    Attestation.objects.filter(enrollment__partner=partner, kind__in=["joint-campaign", "case-study"]).delete()
    return user


# Made up, with check digits that fit.
VENDOR = {
    "name": "Adventure Works SAS", "street": "1 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR",
    "registration_number": "123456782", "vat_number": "FR11123456782",
    "legal_line": "SAS au capital de 1 500 000 € – RCS Lyon 123 456 782",
}  # fmt: skip
NUMBERS = {
    "FR": {"registration_number": "987654324", "vat_number": "FR14987654324"},
    "DE": {"registration_number": "HRB 4711", "vat_number": "DE123456788"},
}


def _add_invoicing(partner: Partner, user: User, staff: User) -> None:
    """The vendor's legal details and the demo partner's, and its mandate: its invoices are written for it."""
    today, where = program_today(), partner.locations.get(is_main=True)
    invoices.record_vendor_identity(fields=VENDOR, starts_on=add_months(today, -36), mentions={}, actor=staff)
    identity = {
        "name": partner.name, "street": where.street or "1 Main Street", "postal_code": where.postal_code or "00000",
        "city": where.city, "country": where.country, "tax_status": "normal", "language": "en",
        **NUMBERS.get(where.country, {"registration_number": "4711-0815"}),
    }  # fmt: skip
    invoices.record_identity(partner=partner, fields=identity, actor=user)
    if (text := mandate_text()) is not None:
        invoices.accept_mandate(partner=partner, text=text, language="en", actor=user)


def _add_leads(demo: Partner, others: Sequence[Partner], staff: User, user: User) -> None:
    """Leads and deals in every state: some with the demo's partner, some that wait for staff, some elsewhere."""
    today, currency = program_today(), "USD"
    _written(demo, 0), _written(demo, 1)
    leads.accept_offer(offer=_written(demo, 2), actor=user)
    won = leads.register_deal(
        partner=demo, title="Service bikes · Vélos de service", customer_name="Clinique du Parc",
        amount=Decimal(18400), currency=currency, expected_on=today, actor=user,
    )  # fmt: skip
    leads.approve_deal(deal=won, actor=staff)
    leads.win_deal(deal=Deal.objects.get(pk=won.pk), closed_on=today - timedelta(days=9), actor=user)
    running = leads.register_deal(
        partner=demo, title="School fleet · Parc d’un lycée", customer_name="Lycée Ampère", amount=Decimal(41000),
        currency=currency, expected_on=today + timedelta(days=25), actor=user,
    )  # fmt: skip
    leads.approve_deal(deal=running, actor=staff)
    leads.register_deal(
        partner=demo, title="Hire bikes · Vélos de location", customer_name="Harbour Hotel", amount=Decimal(9600),
        currency=currency, expected_on=today + timedelta(days=50), actor=user,
    )  # fmt: skip
    for number, partner in enumerate(others):
        offer = _written(partner, number)
        if number % 3 == 1:
            leads.accept_offer(offer=offer, actor=staff)
        elif number % 3 == 2:
            leads.accept_offer(offer=offer, actor=staff)
            deal = leads.convert_lead(
                lead=offer.lead, title=shorten(offer.lead.need, 60, placeholder="…"), amount=Decimal(2000 + 700 * number), currency=currency,
                expected_on=today + timedelta(days=number), actor=staff,
            )  # fmt: skip
            if number % 2:
                leads.approve_deal(deal=deal, actor=staff)
    for company, city, country, need in NEEDS[3:]:
        leads.enter_lead(
            actor=staff, contact_name="Alex Example", contact_email="alex@prospect.example", company=company,
            city=city, country=country, need=need, is_made_up=True,
        )  # fmt: skip


def _written(partner: Partner, number: int) -> Offer:
    """A prospect wrote to the partner."""
    company, city, country, need = NEEDS[number % len(NEEDS)]
    lead = leads.capture_lead(
        partner=partner, source=Lead.Source.PROFILE, contact_name="Alex Example",
        contact_email="alex@prospect.example", contact_phone="+33 4 00 00 00 00", company=company, city=city,
        country=country, need=need, consent_text="Sample data: nobody real agreed.", is_made_up=True,
    )  # fmt: skip
    return Offer.objects.get(lead=lead)
