"""Every write of sales that are there: voided and restored, shared, collected. New and changed ones come by `leads.imports`.

Each call locks the sale that it is about.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common.money import ZERO
from common.templatetags import show
from imports.upsert import Outcome, as_json, there, upsert
from journal import services as journal
from journal.services import Line
from leads.errors import ReasonMissingError, SaleError
from leads.models import Collection, Sale, Split
from partners.models import Partner

MOST_PARTS = 32_767  # what a small integer holds


# --- Voided and restored --------------------------------------------------------------------------


@transaction.atomic
def void_sale(*, sale: Sale, reason: str, actor: User | None) -> Sale:
    """The system that a sale comes from deleted it: it stays, and counts nowhere. Repeating changes nothing.

    Raises ReasonMissingError, and SaleError while a refund of it stands.
    """
    if not reason.strip():
        raise ReasonMissingError(_("Say why in a few words: whoever reads it later needs it."))
    locked = _locked(sale)
    if locked.voided_at is not None:
        return locked
    refund = Sale.objects.standing().filter(refund_of=locked).order_by("pk").first()
    if refund is not None:
        raise SaleError(
            _("The refund %(refund)s takes back %(sale)s: void the refund first.")
            % {"refund": refund.external_id, "sale": locked.external_id}
        )
    locked.voided_at, locked.void_reason = timezone.now(), reason.strip()
    locked.save(update_fields=["voided_at", "void_reason", "changed_at"])
    journal.record_many([void_entry(locked, before="", actor=actor)])
    return locked


@transaction.atomic
def restore_sale(*, sale: Sale, actor: User | None) -> Sale:
    """A voided sale counts again. Repeating changes nothing.

    Raises SaleError for a refund whose sale is voided, or was taken back by other refunds meanwhile.
    """
    target = Sale.objects.select_for_update(no_key=True).filter(refunds=sale.pk).first()
    locked = _locked(sale)
    if locked.voided_at is None:
        return locked
    if target is not None:
        _expect_room(locked, target)
    before, locked.voided_at, locked.void_reason = locked.void_reason, None, ""
    locked.save(update_fields=["voided_at", "void_reason", "changed_at"])
    journal.record_many([void_entry(locked, before=before, actor=actor)])
    return locked


def _expect_room(refund: Sale, target: Sale) -> None:
    if target.voided_at is not None:
        raise SaleError(
            _("The sale %(sale)s, which it takes back, is voided: restore that first.") % {"sale": target.external_id}
        )
    others = Sale.objects.standing().filter(refund_of=target).exclude(pk=refund.pk)
    refunded = (others.aggregate(Sum("amount"))["amount__sum"] or ZERO) + refund.amount
    if target.amount + refunded < 0:
        raise SaleError(too_much(target.external_id, refunded, target.amount, target.currency))


def too_much(external_id: str, refunded: Decimal, amount: Decimal, currency: str) -> str:
    """What to tell of refunds that together take back more than their sale."""
    return _("the refunds of %(sale)s would come to %(refunded)s, more than its %(amount)s") % {
        "sale": external_id, "refunded": show.money(-refunded, currency), "amount": show.money(amount, currency),
    }  # fmt: skip


def void_entry(sale: Sale, *, before: str, actor: User | None) -> Line:
    """The journal's entry of a sale that was voided or restored; `before` is the reason that stood there."""
    return journal.entry(
        verb="leads.sale.voided" if sale.void_reason else "leads.sale.restored", subject=sale, actor=actor,
        partner_id=sale.partner_id, before={"note": before} if before else {},
        after={"sale": sale.external_id, **({"note": sale.void_reason} if sale.void_reason else {})},
    )  # fmt: skip


def _locked(sale: Sale) -> Sale:
    return Sale.objects.select_for_update(no_key=True).get(pk=sale.pk)


# --- Shared ---------------------------------------------------------------------------------------


@transaction.atomic
def set_splits(*, sale: Sale, parts: Mapping[int, int], actor: User | None) -> list[Split]:
    """Say who shares what a sale earns: parts by partner's id, the whole set at once. Nobody: all is its partner's.

    Repeating changes nothing. Raises SaleError, and then nothing was written.
    """
    if any(not 1 <= number <= MOST_PARTS for number in parts.values()):
        raise SaleError(_("Each share has from 1 to %(most)s parts.") % {"most": show.quantity(MOST_PARTS)})
    locked = _locked(sale)
    names = dict(Partner.objects.filter(pk__in=parts).values_list("pk", "external_id"))
    if unknown := sorted(set(parts) - set(names)):
        raise SaleError(_("There is no partner %(partner)s.") % {"partner": unknown[0]})
    held = {split.partner_id: split for split in Split.objects.filter(sale=locked).select_related("partner")}
    before = {split.partner.external_id: split.parts for split in held.values()}
    after = {names[partner_id]: number for partner_id, number in parts.items()}
    if before != after:
        Split.objects.filter(sale=locked).exclude(partner__in=parts).delete()
        upsert(
            [{"sale_id": locked.pk, "partner_id": one, "parts": number} for one, number in sorted(parts.items())],
            into=Split.objects.all(), key=("sale_id", "partner_id"),
        )  # fmt: skip
        locked.save(update_fields=["changed_at"])
        journal.record_many([splits_entry(locked, before, after, actor)])
    return list(Split.objects.filter(sale=locked).select_related("partner").order_by("partner"))


def splits_entry(sale: Sale, before: Mapping[str, int], after: Mapping[str, int], actor: User | None) -> Line:
    """The journal's entry of a sale whose shares changed: parts by partner's external id."""
    return journal.entry(
        verb="leads.sale.split", subject=sale, actor=actor, partner_id=sale.partner_id,
        before={"parts": dict(before)}, after={"sale": sale.external_id, "parts": dict(after)},
    )  # fmt: skip


# --- Collected ------------------------------------------------------------------------------------


@transaction.atomic
def record_collections(*, collections: Sequence[Mapping[str, Any]], actor: User | None) -> Outcome:
    """Keep money that came in for sales: `external_id`, `sale_id`, `amount` in the sale's currency (negative: it went
    back), `collected_on`. One that is new is added, one that differs is changed; repeating changes nothing.

    An entry in the journal for each that was written; a fixed number of statements. Raises SaleError for an amount of
    nothing or an external id that comes twice, and then nothing was written.
    """
    own = [one["external_id"] for one in collections]
    if twice := sorted({one for one in own if own.count(one) > 1}):
        raise SaleError(_("%(external_id)s comes twice.") % {"external_id": twice[0]})
    if nothing := next((one["external_id"] for one in collections if not one["amount"]), None):
        raise SaleError(_("%(external_id)s is of no money.") % {"external_id": nothing})
    outcome = upsert(collections, into=Collection.objects.all())
    journal.record_many(_collection_entries(collections, outcome, actor))
    return outcome


def _collection_entries(rows: Sequence[Mapping[str, Any]], outcome: Outcome, actor: User | None) -> list[Line]:
    by_key = {row["external_id"]: row for row in rows}
    added = [by_key[own] for own in outcome.added]
    made = there(added, among=Collection.objects.all()) if added else {}
    partners = dict(Sale.objects.filter(pk__in={row["sale_id"] for row in rows}).values_list("pk", "partner_id"))
    created = [
        journal.entry(
            verb="leads.collection.created", subject=made[own], actor=actor, partner_id=partners[by_key[own]["sale_id"]],
            after={name: as_json(value) for name, value in by_key[own].items()},
        )
        for own in outcome.added
    ]  # fmt: skip
    return [*created, *changed_entries(outcome, partners, actor)]


def changed_entries(outcome: Outcome, partners: Mapping[int, int], actor: User | None) -> list[Line]:
    """The journal's entries of collections that changed; `partners` by sale."""
    return [
        journal.entry(
            verb="leads.collection.changed", subject=change.row, actor=actor,
            partner_id=partners[change.row.sale_id],  # type: ignore[attr-defined]
            before=change.before, after=change.after,
        )
        for change in outcome.changed.values()
    ]  # fmt: skip
