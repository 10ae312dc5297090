"""What the public pages read: the program as its published edition says, and the listed partners."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import cos, radians
from typing import Any

from django.db.models import Count, ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import ASin, Cos, Least, Power, Radians, Sin, Sqrt

from commissions.selectors import rates_in_force
from common.money import round_to_minor_unit
from partners.models import Location, Member, Partner
from places.gazetteer import Place
from tiers import life_words, quantities, wording
from tiers import selectors as tier_selectors
from tiers.models import Benefit, Distinction, Edition, Placement, Program, Tier, TierBenefit
from training.models import Certificate

EARTH_KM = 6371.0088  # mean radius, IUGG
KM_A_DEGREE = 111.195
EXAMPLE_SALE = Decimal(1000)


# --- The program ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TierOnOffer:
    """A tier as the program page shows it. `example` is what a sale of EXAMPLE_SALE earns."""

    tier: Tier
    earn: wording.Sentence | None
    keep: wording.Sentence | None
    gives: list[TierBenefit]
    new: list[TierBenefit]  # what the tier below does not give
    rate: Decimal | None
    example: Decimal | None


@dataclass(frozen=True, slots=True)
class BenefitCell:
    """What a tier gives of a benefit (None for nothing), and how much of it in words where there is a limit."""

    tier: Tier
    given: TierBenefit | None
    quantity: str


@dataclass(frozen=True, slots=True)
class BenefitRow:
    """A benefit with what each tier, lowest first, gives of it."""

    benefit: Benefit
    cells: list[BenefitCell]


@dataclass(frozen=True, slots=True)
class ProgramOnOffer:
    program: Program
    edition: Edition
    tiers: list[TierOnOffer]
    benefits: list[BenefitRow]
    distinctions: list[wording.AskedInWords[Distinction]]
    reviews: str  # when a tier may be lost, in words
    pays_from: date | None
    partners: int
    countries: int
    certified: int

    @property
    def example_sale(self) -> Decimal:
        return EXAMPLE_SALE


def program_on_offer(program: Program, on: date) -> ProgramOnOffer | None:
    """None where no published edition is in force. A fixed number of queries."""
    edition = tier_selectors.edition_in_force(program, on)
    if edition is None:
        return None
    rates = rates_in_force(program, on)
    given: dict[int, list[TierBenefit]] = {}
    for one in (
        TierBenefit.objects.filter(tier__edition=edition)
        .select_related("benefit__program", "tier")
        .order_by("benefit__position", "benefit_id")
    ):  # fmt: skip
        given.setdefault(one.tier_id, []).append(one)
    tiers: list[TierOnOffer] = []
    below: dict[int, TierBenefit] = {}
    for said in wording.rules_in_words(edition):
        gives = given.get(said.row.pk, [])
        rate = rates.share(said.row.code)
        tiers.append(
            TierOnOffer(
                tier=said.row, earn=said.earn, keep=said.keep, gives=gives,
                new=[one for one in gives if _is_more(one, below.get(one.benefit_id))],
                rate=rate,
                example=None if rate is None else round_to_minor_unit(EXAMPLE_SALE * rate, program.currency),
            )
        )  # fmt: skip
        below = {one.benefit_id: one for one in gives}
    listed = Partner.objects.listed().filter(enrollments__in=program.enrollments.in_force_on(on))
    return ProgramOnOffer(
        program=program,
        edition=edition,
        tiers=tiers,
        benefits=_matrix(tiers, program.currency),
        distinctions=wording.distinctions_in_words(edition),
        reviews=life_words.cadence(edition.life.get("demotion") or {"every": "day"}),
        pays_from=rates.plan.starts_on if rates.plan else None,
        partners=listed.count(),
        countries=Location.objects.filter(partner__in=listed).exclude(country="").values("country").distinct().count(),
        certified=Certificate.objects.valid_on(on)
        .filter(member__in=Member.objects.on(on).filter(partner__in=listed))
        .values("member")
        .distinct()
        .count(),
    )


def _is_more(one: TierBenefit, below: TierBenefit | None) -> bool:
    """Whether a tier gives the benefit otherwise than the tier below."""
    return below is None or bool(one.terms) or (one.quantity, one.per) != (below.quantity, below.per)


def _matrix(tiers: list[TierOnOffer], currency: str) -> list[BenefitRow]:
    benefits = {one.benefit_id: one.benefit for offer in tiers for one in offer.gives}
    by_tier = [(offer.tier, {one.benefit_id: one for one in offer.gives}) for offer in tiers]
    return [
        BenefitRow(benefit, [_cell(tier, gives.get(benefit.pk), currency) for tier, gives in by_tier])
        for benefit in sorted(benefits.values(), key=lambda one: (one.position, one.pk))
    ]


def _cell(tier: Tier, given: TierBenefit | None, currency: str) -> BenefitCell:
    return BenefitCell(tier, given, quantities.offered(given, currency) if given else "")


# --- The directory ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """What a visitor looks for. Empty values ask for nothing."""

    text: str = ""
    tier: str = ""
    country: str = ""
    kind: str = ""
    near: Place | None = None
    within_km: int = 100


def listed_partners(program: Program | None, search: Search, on: date) -> QuerySet[Partner, Partner]:
    """Listed partners that fit, with `tier_id`, `tier_rank`, `tier_code` and, near a place, `distance_km`.

    Nearest first, else the highest tier first, then by name. One query, whatever the data.
    """
    partners = with_tier(Partner.objects.listed(), program, on)
    for one in ("text", "tier", "country", "kind"):
        partners = partners.filter(condition(one, search))
    if search.near is None:
        return partners.order_by(F("tier_rank").desc(nulls_last=True), "name", "id")
    near = partners.filter(_box(search.near, search.within_km)).annotate(distance_km=_distance(search.near))
    return near.filter(distance_km__lte=search.within_km).order_by("distance_km", "name", "id")


def with_tier(partners: QuerySet[Partner, Partner], program: Program | None, on: date) -> QuerySet[Partner, Partner]:
    held = Placement.objects.in_force_on(on).filter(enrollment__partner=OuterRef("pk"), enrollment__program=program)
    main = Location.objects.filter(partner=OuterRef("pk"), is_main=True)
    return partners.annotate(
        tier_held=Subquery(held.values("tier_id")[:1]),
        tier_rank=Subquery(held.values("tier__rank")[:1]),
        tier_code=Subquery(held.values("tier__code")[:1]),
        main_country=Subquery(main.values("country")[:1]),
    )


def condition(facet: str, search: Search) -> Q:
    if facet == "text" and search.text:
        return Q(name__icontains=search.text) | Q(specialties__icontains=search.text)
    if facet == "tier" and search.tier:
        return Q(tier_code=search.tier)
    if facet == "country" and search.country:
        return Q(main_country=search.country)
    if facet == "kind" and search.kind:
        return Q(kind=search.kind)
    return Q()


def counts(program: Program | None, search: Search, on: date, facet: str) -> dict[str, int]:
    """How many partners each value of `facet` (tier, country or kind) would show, the other conditions kept."""
    without = Search(**{**_asked(search), facet: ""})
    column = {"tier": "tier_code", "country": "main_country", "kind": "kind"}[facet]
    rows = listed_partners(program, without, on).order_by().values_list(column).annotate(Count("pk"))
    return {value: count for value, count in rows if value}


def _asked(search: Search) -> dict[str, Any]:
    return {name: getattr(search, name) for name in Search.__slots__}


def _box(place: Place, within_km: int) -> Q:
    """Locations in the rectangle around the circle, which an index finds; all longitudes near a pole."""
    up = within_km / KM_A_DEGREE
    box = Q(locations__is_main=True, locations__latitude__range=(place.latitude - up, place.latitude + up))
    reach = abs(place.latitude) + up
    if reach >= 89:
        return box
    across = up / cos(radians(reach))
    if abs(place.longitude) + across >= 180:
        return box
    return box & Q(locations__longitude__range=(place.longitude - across, place.longitude + across))


def _distance(place: Place) -> ExpressionWrapper:
    """Great-circle distance in km by the haversine formula, in SQL."""
    here_lat, here_lon = Radians(Value(place.latitude)), Radians(Value(place.longitude))
    lat, lon = Radians(F("locations__latitude")), Radians(F("locations__longitude"))
    half = Power(Sin((lat - here_lat) / 2.0), 2) + Cos(here_lat) * Cos(lat) * Power(Sin((lon - here_lon) / 2.0), 2)
    return ExpressionWrapper(
        2 * EARTH_KM * ASin(Sqrt(Least(half, Value(1.0), output_field=FloatField()))), output_field=FloatField()
    )


def placements_of(partner: Partner, on: date) -> list[Placement]:
    """The tiers a partner holds in public programs on a day."""
    held = Placement.objects.in_force_on(on).filter(enrollment__partner=partner, enrollment__program__is_public=True)
    return list(held.select_related("tier", "enrollment__program").order_by("enrollment_id"))


def certified_people(partner: Partner, on: date) -> int:
    """How many current members hold a valid certificate."""
    valid = Certificate.objects.valid_on(on).filter(member__in=Member.objects.on(on).filter(partner=partner))
    return valid.values("member").distinct().count()
