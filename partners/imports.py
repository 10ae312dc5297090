"""Partners with their main location, and members, from files."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports import kinds
from imports.engine import Importer, Row
from imports.fields import Field, OpenFields, capitals, day, degrees, key, short_texts, text, whole
from imports.upsert import Outcome, keyed, there, upsert
from journal import services as journal
from partners.models import BUILT_IN, Location, Member, Partner, Sponsorship
from partners.rules import Bond, circles, shared
from partners.services import bonds_of, lock_sponsorships
from places import gazetteer

ADDRESS = ("street", "street2", "postal_code", "city", "region", "country")
DEGREES = ("latitude", "longitude")
PLACED_BY = ("postal_code", "city", "region", "country")  # what the gazetteer reads


class PartnerImporter(Importer):
    kind: ClassVar[str] = "partners"
    label: ClassVar[Any] = gettext_lazy("Partners")
    position: ClassVar[int] = 10
    model: ClassVar[type[Partner]] = Partner
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Partner, "external_id"), required=True),
        Field("name", gettext_lazy("Name of the company."), text(Partner, "name"), required=True),
        Field("joined_on", gettext_lazy("Day it joined."), day, required=True),
        Field("kind", gettext_lazy("Kind of business."), text(Partner, "kind")),
        Field("status", "active, suspended, left", text(Partner, "status"), empty=Partner.Status.ACTIVE.value),
        Field("specialties", gettext_lazy("What it is good at."), text(Partner, "specialties")),
        Field("email", gettext_lazy("E-mail address."), text(Partner, "email")),
        Field("phone", gettext_lazy("Phone."), text(Partner, "phone")),
        Field("website", gettext_lazy("Address of its website."), text(Partner, "website")),
        Field("employees", gettext_lazy("How many people work there."), whole(least=0), empty=None),
        Field("opened_in", gettext_lazy("Year."), whole(least=1000, most=9999), empty=None),
        Field("street", gettext_lazy("Street."), text(Location, "street")),
        Field("street2", gettext_lazy("Street, second line."), text(Location, "street2")),
        Field("postal_code", gettext_lazy("Postal code."), text(Location, "postal_code")),
        Field("city", gettext_lazy("City."), text(Location, "city")),
        Field("region", gettext_lazy("Region or state, by name or code."), text(Location, "region")),
        Field("country", gettext_lazy("Two letters (ISO 3166)."), capitals(text(Location, "country"))),
        Field("latitude", gettext_lazy("Degrees (WGS 84), where known exactly."), degrees(90), empty=None),
        Field("longitude", gettext_lazy("Degrees (WGS 84), where known exactly."), degrees(180), empty=None),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        for row in rows:
            latitude, longitude = (row.values.get(name) for name in DEGREES)
            if (latitude is None) != (longitude is None):
                self.refuse(row, "latitude", _("latitude and longitude come together"))

    def save(self, rows: list[Row]) -> None:
        located = self.mapped.intersection((*ADDRESS, *DEGREES))
        slugs = _new_slugs(rows)
        values = [
            {**{name: value for name, value in row.values.items() if name not in located}, **slugs[row.line]}
            for row in rows
        ]
        outcome = _upsert_with_slugs(values)
        partners = dict(
            Partner.objects.filter(external_id__in=[row.values["external_id"] for row in rows]).values_list(
                "external_id", "pk"
            )
        )
        moved = self._place(rows, partners) if located else Outcome()
        self._tell(partners, outcome, moved)

    def _place(self, rows: list[Row], partners: dict[str, int]) -> Outcome:
        """Write the main locations: given coordinates stay, others come from the gazetteer, unknown ones are told."""
        there = {one.partner_id: one for one in Location.objects.filter(is_main=True, partner__in=partners.values())}
        values = []
        for row in rows:
            partner_id = partners[row.values["external_id"]]
            address = _address(row, there.get(partner_id))
            if address["latitude"] is None:
                town = ", ".join(address[name] for name in ("city", "country") if address[name])
                self.report.notice(
                    _("%(partner)s is not placed: %(town)s.")
                    % {"partner": row.values["name"], "town": town or _("no address")}
                )
            values.append({"partner_id": partner_id, "is_main": True, **address})
        return upsert(values, into=Location.objects.filter(is_main=True), key="partner_id")

    def _tell(self, partners: dict[str, int], outcome: Outcome, moved: Outcome) -> None:
        changed = {key: (change.before, change.after) for key, change in outcome.changed.items()}
        of_partner = {pk: external_id for external_id, pk in partners.items()}
        new = set(outcome.added)
        for partner_id, change in moved.changed.items():
            before, after = changed.get(of_partner[partner_id], ({}, {}))
            changed[of_partner[partner_id]] = ({**before, **change.before}, {**after, **change.after})
        for partner_id in moved.added:
            if (external_id := of_partner[partner_id]) not in new:
                changed.setdefault(external_id, ({}, {}))[1]["location"] = "added"
        self.report.added += len(new)
        self.report.changed += len(changed)
        self.report.unchanged += len(partners) - len(new) - len(changed)
        journal.record_many(
            [
                journal.entry(
                    verb="partners.partner.created", subject=f"partners.partner:{partners[one]}", actor=self.actor,
                    partner_id=partners[one], after={"external_id": one},
                )
                for one in outcome.added
            ]
            + [
                journal.entry(
                    verb="partners.partner.changed", subject=f"partners.partner:{partners[one]}", actor=self.actor,
                    partner_id=partners[one], before=before, after=after,
                )
                for one, (before, after) in changed.items()
            ]
        )  # fmt: skip


def _upsert_with_slugs(values: list[dict[str, Any]]) -> Outcome:
    """A partner that exists keeps its page's address; only new ones are given theirs."""
    new = [one for one in values if one["slug"]]
    old = [{name: value for name, value in one.items() if name != "slug"} for one in values if not one["slug"]]
    outcome = upsert(old, into=Partner.objects.all())
    outcome.added += upsert(new, into=Partner.objects.all()).added
    return outcome


def _new_slugs(rows: list[Row]) -> dict[int, dict[str, str]]:
    """By line, the slug of a partner that is new; empty for one that exists.

    A name's second bearer has its external id behind the name, and a number behind that where even this is taken.
    """
    there = set(
        Partner.objects.filter(external_id__in=[row.values["external_id"] for row in rows]).values_list(
            "external_id", flat=True
        )
    )
    wanted: dict[int, list[str]] = {}
    for row in rows:
        if row.values["external_id"] not in there:
            name = slugify(row.values["name"])[:140] or "partner"
            wanted[row.line] = [name, f"{name}-{slugify(row.values['external_id'])}"]
    candidates = [slug for slugs in wanted.values() for slug in slugs]
    taken = set(Partner.objects.filter(slug__in=candidates).values_list("slug", flat=True))
    given: dict[int, dict[str, str]] = {row.line: {"slug": ""} for row in rows}
    for line, slugs in wanted.items():
        slug = next(one for one in _ever_longer(slugs) if one not in taken)
        taken.add(slug)
        given[line] = {"slug": slug}
    return given


def _ever_longer(slugs: list[str]) -> Iterable[str]:
    yield from slugs
    number = 2
    while True:
        yield f"{slugs[-1]}-{number}"
        number += 1


def _address(row: Row, there: Location | None) -> dict[str, Any]:
    """What the location holds after this row, with its coordinates and their accuracy."""
    address = {name: row.values.get(name, getattr(there, name) if there else "") for name in (*ADDRESS, *DEGREES)}
    if row.values.get("latitude") is not None:
        return {**address, "accuracy": Location.Accuracy.EXACT.value}
    same = there is not None and all(getattr(there, name) == address[name] for name in PLACED_BY)
    if there is not None and same and there.latitude is not None:
        return {**address, "latitude": there.latitude, "longitude": there.longitude, "accuracy": there.accuracy}
    place = gazetteer.locate(address["city"], address["region"], address["postal_code"], address["country"])
    if place is None:
        return {**address, "latitude": None, "longitude": None, "accuracy": Location.Accuracy.UNKNOWN.value}
    return {**address, "latitude": place.latitude, "longitude": place.longitude, "accuracy": place.accuracy}


class MemberImporter(Importer):
    kind: ClassVar[str] = "members"
    label: ClassVar[Any] = gettext_lazy("People of partners")
    position: ClassVar[int] = 40
    model: ClassVar[type[Member]] = Member
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Member, "external_id"), required=True),
        Field("partner", gettext_lazy("External id of the partner."), key, required=True),
        Field("name", gettext_lazy("Name of the person."), text(Member, "name"), required=True),
        Field("job", "sales, technical, marketing, finance, management, other", text(Member, "job"), required=True),
        Field("joined_on", gettext_lazy("Day the person joined the partner."), day, required=True),
        Field("left_on", gettext_lazy("First day without the person."), day, empty=None),
        Field("job_title", gettext_lazy("Job title."), text(Member, "job_title")),
        Field("email", gettext_lazy("E-mail address."), text(Member, "email")),
        Field("role", "owner, sales, technical, marketing, finance", text(Member, "role"), empty=Member.Role.SALES.value),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        partners = partner_keys(row.values["partner"] for row in rows)
        for row in rows:
            row.values["partner_id"] = partners.get(row.values.pop("partner"))
            left_on = row.values.get("left_on")
            if row.values["partner_id"] is None:
                self.refuse(row, "partner", _("there is no partner with this external id"))
            elif left_on is not None and left_on < row.values["joined_on"]:
                self.refuse(row, "left_on", _("is before the day the person joined"))

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=Member.objects.all())
        count(self, outcome)
        journal.record_many(
            journal.entry(
                verb="partners.member.changed", subject=change.row, actor=self.actor,
                partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
            )
            for change in outcome.changed.values()
        )  # fmt: skip


class TraitImporter(Importer):
    """Traits of partners that are there: those that the mapping fills change, others stay; an empty cell takes one away."""

    kind: ClassVar[str] = "traits"
    label: ClassVar[Any] = gettext_lazy("Traits of partners")
    position: ClassVar[int] = 55
    model: ClassVar[type[Partner]] = Partner
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("External id of the partner."), key, required=True),
    )
    open_fields: ClassVar[OpenFields] = OpenFields(
        "trait:", gettext_lazy("What conditions ask about; several values with | between them."), short_texts, BUILT_IN
    )

    def check(self, rows: list[Row]) -> None:
        partners = Partner.objects.filter(external_id__in=[row.values["external_id"] for row in rows])
        held = dict(partners.values_list("external_id", "traits"))
        for row in rows:
            own = row.values["external_id"]
            if own not in held:
                self.refuse(row, "external_id", _("there is no partner with this external id"))
                continue
            traits = {**held[own], **self.open_fields.named(row.values)}
            row.values = {"external_id": own, "traits": {name: value for name, value in traits.items() if value}}

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=Partner.objects.all())
        count(self, outcome)
        journal.record_many(
            journal.entry(
                verb="partners.partner.changed", subject=change.row, actor=self.actor, partner_id=change.row.pk,
                before=change.before, after=change.after,
            )
            for change in outcome.changed.values()
        )  # fmt: skip


class SponsorshipImporter(Importer):
    """Who sponsors whom. A row of a partner and a first day that are there changes its sponsor and its end."""

    kind: ClassVar[str] = "sponsorships"
    label: ClassVar[Any] = gettext_lazy("Sponsors of partners")
    position: ClassVar[int] = 57
    model: ClassVar[type[Sponsorship]] = Sponsorship
    identity: ClassVar[tuple[str, ...]] = ("partner", "starts_on")
    known_by: ClassVar[tuple[str, ...]] = ("partner_id", "starts_on")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("partner", gettext_lazy("External id of the partner."), key, required=True),
        Field("sponsor", gettext_lazy("External id of who brought it in, or supplies it."), key, required=True),
        Field("starts_on", gettext_lazy("First day with this sponsor."), day, required=True),
        Field("ends_on", gettext_lazy("First day without it; empty: without end."), day, empty=None),
    )

    def check(self, rows: list[Row]) -> None:
        partners = partner_keys(row.values[name] for row in rows for name in ("partner", "sponsor"))
        for row in rows:
            for name in ("partner", "sponsor"):
                row.values[f"{name}_id"] = partners.get(row.values.pop(name))
                if row.values[f"{name}_id"] is None:
                    self.refuse(row, name, _("there is no partner with this external id"))
            self._check_alone(row)
        self._check_together([row for row in rows if not row.is_bad])

    def _check_alone(self, row: Row) -> None:
        values, ends_on = row.values, row.values.get("ends_on")
        if values["partner_id"] is not None and values["partner_id"] == values["sponsor_id"]:
            self.refuse(row, "sponsor", _("is the partner itself"))
        if ends_on is not None and ends_on < values["starts_on"]:
            self.refuse(row, "ends_on", _("is before the first day"))

    def _check_together(self, rows: list[Row]) -> None:
        """One sponsor on a day, no circle on any: of what is kept and what this batch makes of it."""
        if not rows:
            return
        lock_sponsorships()
        held = there([row.values for row in rows], among=Sponsorship.objects.all(), key=self.known_by)
        bonds = [_bond(row, held.get(keyed(row.values, self.known_by))) for row in rows]
        without = {one.pk for one in held.values()}
        own: dict[int, list[Bond]] = {}
        for bond in bonds_of({bond.partner for bond in bonds}, without=without, and_=()):
            own.setdefault(bond.partner, []).append(bond)
        for row, bond in zip(rows, bonds, strict=True):
            others = own.setdefault(bond.partner, [])
            if any(shared(bond, other) is not None for other in others):
                self.refuse(row, "starts_on", _("has another sponsor at that time"))
            others.append(bond)
        for place in sorted(circles(bonds, lambda partners: bonds_of(partners, without=without, and_=bonds))):
            self.refuse(rows[place], "sponsor", _("has this partner above it at that time"))

    def save(self, rows: list[Row]) -> None:
        """Those that are there first: one that ends makes room for one that begins."""
        held = there([row.values for row in rows], among=Sponsorship.objects.all(), key=self.known_by)
        for is_there in (True, False):
            values = [row.values for row in rows if (keyed(row.values, self.known_by) in held) == is_there]
            outcome = upsert(values, into=Sponsorship.objects.all(), key=self.known_by)
            count(self, outcome)
            journal.record_many(
                journal.entry(
                    verb="partners.sponsorship.changed", subject=change.row, actor=self.actor,
                    partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
                )
                for change in outcome.changed.values()
            )  # fmt: skip


def _bond(row: Row, held: Sponsorship | None) -> Bond:
    values = row.values
    ends_on = values.get("ends_on", None if held is None else held.ends_on)
    return Bond(values["partner_id"], values["sponsor_id"], values["starts_on"], ends_on)


def partner_keys(external_ids: Iterable[str]) -> dict[str, int]:
    """Partners' primary keys by external id: one query."""
    return dict(Partner.objects.filter(external_id__in=set(external_ids)).values_list("external_id", "pk"))


def count(importer: Importer, outcome: Outcome) -> None:
    importer.report.added += len(outcome.added)
    importer.report.changed += len(outcome.changed)
    importer.report.unchanged += len(outcome.unchanged)


def register() -> None:
    kinds.register(PartnerImporter)
    kinds.register(MemberImporter)
    kinds.register(TraitImporter)
    kinds.register(SponsorshipImporter)
