"""What tiers, distinctions and benefits tell partners and staff."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from journal import notices
from journal.models import Entry
from journal.notices import Facts, How, Kind, Members, Notice, Staff
from partners.models import Member, Partner
from tiers.models import Award, Benefit, Distinction, Edition, Enrollment, Grace, Placement, Tier

TIER = Kind("tier", _("Your tier and its benefits"))
TO_CONFIRM = Kind("proposals", _("Partners that qualified for a tier"))
EVERYONE = Members(frozenset(Member.Role.values))
ENROLLMENT, AWARD = Enrollment._meta.label_lower, Award._meta.label_lower

Say = Callable[["_Words", Entry, Facts], Facts | None]


class _Words:
    """What the entries' codes are called: four queries, whatever their number."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        rows = Enrollment.objects.filter(pk__in=notices.ids_of(entries, ENROLLMENT)).select_related(
            "program", "partner"
        )
        self.enrollments = {f"{ENROLLMENT}:{one.pk}": one for one in rows}
        programs = {one.program_id for one in self.enrollments.values()}
        self.tiers: dict[tuple[int, str], Tier] = {}
        published = Tier.objects.exclude(edition__state=Edition.State.DRAFT).filter(edition__program__in=programs)
        for tier in published.select_related("edition").order_by("edition__starts_on", "edition_id"):
            self.tiers[tier.edition.program_id, tier.code] = tier  # as the latest edition has it
        benefits = Benefit.objects.filter(program__in=programs)
        self.benefits = {(one.program_id, one.code): dict(one.name) for one in benefits}

    def of(self, entry: Entry) -> dict[str, Any] | None:
        """Whom it is about; None for an enrollment that is no more."""
        enrollment = self.enrollments.get(entry.subject)
        if enrollment is None:
            return None
        program = enrollment.program
        return {
            "partner": enrollment.partner.name, "program": dict(program.name), "slug": program.slug,
            "currency": program.currency,
        }  # fmt: skip

    def tier(self, entry: Entry, values: Mapping[str, Any]) -> Tier | None:
        return self.tiers.get((self.enrollments[entry.subject].program_id, str(values.get("tier", ""))))

    def tier_name(self, entry: Entry, values: Mapping[str, Any]) -> Any:
        tier = self.tier(entry, values)
        return dict(tier.name) if tier else str(values.get("tier", ""))

    def switched(self, entry: Entry) -> dict[str, list[Any]]:
        """The names of the benefits that open and close."""
        program = self.enrollments[entry.subject].program_id
        return {
            change: [self.benefits.get((program, code), code) for code in entry.after.get(change, [])]
            for change in ("opens", "closes")
        }


def _say(say: Say, entries: Sequence[Entry]) -> dict[int, Facts]:
    words = _Words(entries)
    found = {}
    for entry in entries:
        about = words.of(entry)
        said = None if about is None else say(words, entry, about)
        if said is not None:
            found[entry.pk] = said
    return found


def _moved(words: _Words, entry: Entry, about: Facts) -> Facts:
    after = entry.after
    return {
        **about, **words.switched(entry), "tier": words.tier_name(entry, after), "reason": after.get("reason", ""),
        "starts_on": after["on"], "until_on": after.get("until"), "note": after.get("note", ""),
        "before": words.tier_name(entry, entry.before) if entry.before.get("tier") else "",
    }  # fmt: skip


def _is_down(words: _Words, entry: Entry) -> bool | None:
    """None where the tier is the same."""
    if entry.before.get("tier") == entry.after.get("tier"):
        return None
    before, after = words.tier(entry, entry.before), words.tier(entry, entry.after)
    return entry.after.get("reason") == Placement.Reason.LOST or bool(before and after and after.rank < before.rank)


def _reached(words: _Words, entry: Entry, about: Facts) -> Facts | None:
    return _moved(words, entry, about) if _is_down(words, entry) is False else None


def _lost(words: _Words, entry: Entry, about: Facts) -> Facts | None:
    return _moved(words, entry, about) if _is_down(words, entry) else None


def _benefits(words: _Words, entry: Entry, about: Facts) -> Facts:
    after = {**about, **words.switched(entry), "tier": words.tier_name(entry, entry.after)}
    return {**after, "starts_on": entry.after["on"]}


def _grant_ended(words: _Words, entry: Entry, about: Facts) -> Facts:
    return {**about, "tier": words.tier_name(entry, entry.after), "until_on": entry.after["until"]}


def _left(words: _Words, entry: Entry, about: Facts) -> Facts:
    return {**about, "ends_on": entry.after["on"], "reason": entry.after.get("reason", "")}


def _kept(words: _Words, entry: Entry, about: Facts) -> Facts | None:
    """Lost is told with the tier's loss, and lifted by a tier that staff give with that tier."""
    if entry.after.get("outcome") == Grace.Outcome.LOST or not entry.after.get("tier"):
        return None
    return {**about, "tier": words.tier_name(entry, entry.after), "outcome": entry.after["outcome"]}


def _reminded(words: _Words, entry: Entry, about: Facts) -> Facts:
    after = entry.after
    return {
        **about, "tier": words.tier_name(entry, after), "review_on": after["on"], "days": after["days"],
        "gaps": after.get("gaps", []),
    }  # fmt: skip


def _proposed(words: _Words, entry: Entry, about: Facts) -> Facts:
    return {**about, "tier": words.tier_name(entry, entry.after)}


def _graces(entries: Sequence[Entry]) -> dict[int, Facts]:
    """With what was missing on the day that the grace began."""
    rows = Grace.objects.filter(enrollment__in=notices.ids_of(entries, ENROLLMENT)).order_by("pk")
    gaps = {(f"{ENROLLMENT}:{one.enrollment_id}", one.tier_code, one.ends_on.isoformat()): one.gaps for one in rows}

    def say(words: _Words, entry: Entry, about: Facts) -> Facts:
        after = entry.after
        return {
            **about, "tier": words.tier_name(entry, after), "ends_on": after["ends_on"], "days": after.get("days"),
            "gaps": gaps.get((entry.subject, after["tier"], after["ends_on"]), []),
        }  # fmt: skip

    return _say(say, entries)


def _distinctions(entries: Sequence[Entry]) -> dict[int, Facts]:
    """Of an enrollment where results decide, else of an award that staff gave. What is held elsewhere is told to nobody."""
    words = _Words(entries)
    awards = Award.objects.exclude(origin=Award.Origin.IMPORTED).filter(pk__in=notices.ids_of(entries, AWARD))
    given = {f"{AWARD}:{one.pk}": one for one in awards.select_related("partner")}
    partners = Partner.objects.filter(pk__in={one.partner_id for one in entries})
    programs = dict(Enrollment.objects.filter(partner__in=partners).values_list("partner", "program").order_by("pk"))
    known = Distinction.objects.exclude(edition__state=Edition.State.DRAFT).filter(
        edition__program__in={*programs.values(), *(one.program_id for one in words.enrollments.values())}
    )
    rows = known.order_by("edition__starts_on", "edition_id").values_list("edition__program", "code", "name")
    names = {(program, code): dict(name) for program, code, name in rows}
    found: dict[int, Facts] = {}
    for entry in entries:
        if (about := words.of(entry)) is not None:
            code = (entry.after or {}).get("distinction") or entry.before.get("distinction", "")
            program = words.enrollments[entry.subject].program_id
        elif (award := given.get(entry.subject)) is not None:
            about, code = {"partner": award.partner.name, "program": "", "slug": ""}, award.code
            program = programs.get(award.partner_id, 0)
        else:
            continue
        found[entry.pk] = {
            **about, "distinction": names.get((program, code), code), "reason": entry.after.get("reason", "")
        }  # fmt: skip
    return found


def _link(facts: Facts) -> str:
    address = reverse("portal:tier")
    return f"{address}?program={facts['slug']}" if facts.get("slug") else address


def _proposals(facts: Facts) -> str:
    return f"{reverse('admin:tiers_proposal_changelist')}?state__exact=open"


ABOUT = {
    "partner": "Cycles Dupont", "program": {"en": "Resellers", "fr": "Revendeurs"}, "slug": "resellers", "currency": "EUR",
    "tier": {"en": "Gold", "fr": "Or"},
}  # fmt: skip
GAPS = [
    {
        "measure": "net-sales", "name": {"en": "Net sales", "fr": "Chiffre d’affaires net"}, "unit": "amount",
        "missing": "12500", "threshold": "50000",
    },
    {
        "measure": "certified", "name": {"en": "Certified people", "fr": "Personnes certifiées"}, "unit": "count",
        "missing": "2", "threshold": "3",
    },
]  # fmt: skip
OPENS = [{"en": "Shared leads", "fr": "Prospects partagés"}, {"en": "Priority support", "fr": "Assistance prioritaire"}]
MOVED = {
    **ABOUT, "before": {"en": "Silver", "fr": "Argent"}, "reason": "earned", "starts_on": "2026-03-01", "until_on": None,
    "note": "", "opens": OPENS, "closes": [],
}  # fmt: skip


def _notice(name: str, verbs: Sequence[str], label: Any, facts: Any, sample: Facts, **over: Any) -> Notice:
    fields: dict[str, Any] = {"kind": TIER, "to": EVERYONE, "link": _link, "go": _("See my tier"), **over}
    template = f"tiers/mail/{name.replace('-', '_')}"
    return Notice(f"tiers.{name}", verbs, label, template=template, facts=facts, sample=sample, **fields)


def register() -> None:
    changed = ["tiers.placement.changed"]
    awarded = ["tiers.award.earned", "tiers.award.given"]
    lower = {**MOVED, "tier": MOVED["before"], "before": MOVED["tier"], "opens": [], "closes": OPENS, "reason": "lost"}
    grace = {**ABOUT, "ends_on": "2026-06-01", "days": 30, "gaps": GAPS}
    won = {**ABOUT, "distinction": {"en": "Mountain specialist", "fr": "Spécialiste montagne"}, "reason": ""}
    notices.register(
        _notice("reached", changed, _("A tier was reached"), partial(_say, _reached), MOVED),
        _notice("lost", changed, _("A tier was lost"), partial(_say, _lost), lower),
        _notice("benefits", ["tiers.benefits.changed"], _("Benefits opened or closed"), partial(_say, _benefits), MOVED),
        _notice("grace", ["tiers.grace.started"], _("A grace began"), _graces, {**grace, "days": None}),
        _notice("grace-warning", ["tiers.grace.warned"], _("A grace ends soon"), _graces, grace),
        _notice("kept", ["tiers.grace.closed"], _("A grace ended well"), partial(_say, _kept), {**ABOUT, "outcome": "kept"}),
        _notice(
            "review", ["tiers.review.reminded"], _("Before a review that would take the tier"), partial(_say, _reminded),
            {**grace, "review_on": "2026-06-01"},
        ),
        _notice(
            "grant-ended", ["tiers.grant.ended"], _("A granted tier ends"), partial(_say, _grant_ended),
            {**ABOUT, "until_on": "2026-06-01"},
        ),
        _notice(
            "left", ["tiers.enrollment.ended"], _("An enrollment ended"), partial(_say, _left),
            {**ABOUT, "ends_on": "2026-06-01", "reason": "deadline"},
        ),
        _notice("distinction-won", awarded, _("A distinction was won"), _distinctions, won),
        _notice("distinction-lost", ["tiers.award.ended"], _("A distinction was lost"), _distinctions, won),
        _notice(
            "proposed", ["tiers.proposal.made"], _("A partner qualified for a tier to be confirmed"),
            partial(_say, _proposed), ABOUT, kind=TO_CONFIRM, to=Staff("tiers.change_proposal"), link=_proposals,
            go=_("Decide"), how=How.DAILY,
        ),
    )  # fmt: skip
    for verb, label, *fields in (
        ("tiers.enrollment.started", _("A partner was enrolled"), "tier", "on"),
        ("tiers.enrollment.ended", _("An enrollment ended"), "tier", "on", "reason", "closes"),
        (
            "tiers.placement.changed",
            _("A tier was reached or lost"),
            "tier",
            "on",
            "reason",
            "until",
            "opens",
            "closes",
        ),
        ("tiers.benefits.changed", _("Benefits opened or closed"), "tier", "on", "opens", "closes"),
        ("tiers.grace.started", _("A grace began"), "tier", "ends_on"),
        ("tiers.grace.warned", _("A grace ends soon"), "tier", "ends_on", "days"),
        ("tiers.grace.closed", _("A grace is over"), "tier", "outcome"),
        ("tiers.proposal.made", _("A partner qualified for a tier to be confirmed"), "tier"),
        ("tiers.award.earned", _("A distinction was won"), "distinction"),
        ("tiers.award.ended", _("A distinction was lost"), "distinction", "ends_on"),
    ):
        notices.publish(verb, label, *fields)
