"""Whether refunds in a file fit the sales that they take back, as a batch of rows leaves both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from common.money import ZERO
from imports.engine import Row
from leads.models import Sale
from leads.sales import too_much

Refuse = Callable[[Row, str, str], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """Refunds of a sale that are in the database and not in the batch: those that stand, and what they come to."""

    standing: int
    amount: Decimal


@dataclass(slots=True)
class Batch:
    """`held` are the sales of the rows that are there already, by external id. A sale that is not found is told only
    where the file `is_whole` so far: it may stand on a row that was refused.
    """

    rows: Sequence[Row]
    held: Mapping[str, Sale]
    is_whole: bool
    after: dict[str, Sale] = field(default_factory=dict)  # the sales of the rows as they will be
    targets: dict[str, Sale] = field(default_factory=dict)  # sales that are there and may have refunds

    def check(self, refuse: Refuse) -> dict[int, str]:
        """Gives the rows their `refund_of_id`; returns the external id of those sales that are not there yet, by line."""
        self.after = {own: _after(row, self.held.get(own)) for own, row in self._by_key()}
        self.targets = {**self.held, **self._outside()}
        kept = self._kept()
        awaited = self._point(refuse)
        self._check_sums(kept, refuse)
        for own, row in self._by_key():
            if own in kept and own in self.held:
                _check_refunded(row, self.after[own], self.held[own], kept[own], refuse)
        return awaited

    def _by_key(self) -> Iterator[tuple[str, Row]]:
        return ((row.values["external_id"], row) for row in self.rows)

    def _outside(self) -> dict[str, Sale]:
        """Sales of which the batch's rows are refunds, and no rows; locked, so that two files do not refund them both."""
        asked = {row.values.get("refund_of") for row in self.rows} - self.after.keys() - {None}
        pks = {sale.refund_of_id for sale in self.held.values()} - {sale.pk for sale in self.held.values()} - {None}
        if not asked and not pks:
            return {}
        wanted = looked_at().filter(Q(external_id__in=asked) | Q(pk__in=pks)).order_by("pk")
        return {sale.external_id: sale for sale in wanted.select_for_update(no_key=True)}

    def _kept(self) -> dict[str, Kept]:
        if not self.targets:
            return {}
        ids = {sale.pk: own for own, sale in self.targets.items()}
        stands = Q(voided_at__isnull=True)
        found = (
            Sale.objects.filter(refund_of__in=ids)
            .exclude(external_id__in=list(self.after))
            .order_by()
            .values_list("refund_of")
            .annotate(standing=Count("pk", filter=stands), total=Sum("amount", filter=stands))
        )
        return {ids[pk]: Kept(standing, total or ZERO) for pk, standing, total in found}

    def _point(self, refuse: Refuse) -> dict[int, str]:
        """Each refund at its sale, which `refund_of` of the row, else the sale that is there, names."""
        awaited: dict[int, str] = {}
        ids = {sale.pk: own for own, sale in self.targets.items()}
        for own, row in self._by_key():
            sale = self.after[own]
            kept = None if sale.refund_of_id is None else ids[sale.refund_of_id]
            asked: str | None = row.values.pop("refund_of", kept)
            found = None if asked is None else self.targets.get(asked)
            sale.refund_of = None
            row.values["refund_of_id"] = found and found.pk
            if asked is None:
                continue
            if found is None:
                awaited[row.line] = asked
            target = self.after.get(asked) or found
            if target is None and not self.is_whole:
                continue
            if problem := _misfit(sale, target):
                refuse(row, "refund_of", problem)
            else:
                sale.refund_of = target
        return awaited

    def _check_sums(self, kept: Mapping[str, Kept], refuse: Refuse) -> None:
        sums = {own: one.amount for own, one in kept.items()}
        taking: dict[str, list[Row]] = {}
        for own, row in self._by_key():
            sale = self.after[own]
            if sale.refund_of is not None and sale.voided_at is None:
                target = sale.refund_of.external_id
                sums[target] = sums.get(target, ZERO) + sale.amount
                taking.setdefault(target, []).append(row)
        rows = dict(self._by_key())
        for own, total in sums.items():
            sale = self.after.get(own) or self.targets[own]
            if sale.amount + total < 0:
                said = too_much(own, total, sale.amount, sale.currency)
                for row in taking.get(own, [rows[own]] if own in rows else []):
                    refuse(row, "amount", said)


def looked_at() -> QuerySet[Sale]:
    """Sales with what the rows of a file are compared with."""
    return Sale.objects.only(
        "external_id", "kind", "amount", "currency", "recurring_amount", "refund_of", "voided_at", "void_reason"
    )


def _after(row: Row, held: Sale | None) -> Sale:
    kept = {} if held is None else {"refund_of_id": held.refund_of_id, "voided_at": held.voided_at}
    names = ("external_id", "kind", "amount", "currency", "voided_at")
    return Sale(**{**kept, **{name: row.values[name] for name in names if name in row.values}})


def _misfit(refund: Sale, target: Sale | None) -> str:
    """Why a sale does not take back that one; empty where it does."""
    if target is None:
        return _("there is no sale with this external id, neither here nor on an earlier row")
    if refund.kind != Sale.Kind.REFUND:
        return _("only a row of kind “refund” takes a sale back")
    if target.kind == Sale.Kind.REFUND:
        return _("is a refund itself")
    if target.currency != refund.currency:
        return _("is a sale in another currency, %(currency)s") % {"currency": target.currency}
    if target.voided_at is not None and refund.voided_at is None:
        return _("is a voided sale")
    return ""


def _check_refunded(row: Row, sale: Sale, before: Sale, kept: Kept, refuse: Refuse) -> None:
    if sale.kind == Sale.Kind.REFUND:
        refuse(row, "kind", _("is a refund, but other refunds take this sale back"))
    if sale.currency != before.currency:
        refuse(row, "currency", _("is not that of its refunds"))
    if sale.voided_at is not None and kept.standing:
        refuse(row, "voided", _("refunds of this sale stand: void them with it"))
