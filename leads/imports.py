"""Products, sales, what was collected for them and who shares them, from files."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports import kinds
from imports.engine import Importer, Row
from imports.fields import Field, amount, capitals, day, key, text, whole
from imports.upsert import Change, there, upsert
from journal import services as journal
from journal.services import Line
from leads.models import Collection, Product, Sale, Split
from leads.refunds import Batch, looked_at
from leads.sales import MOST_PARTS, changed_entries, splits_entry, void_entry
from partners.imports import count, partner_keys

LANGUAGES = ("en", "fr")


class ProductImporter(Importer):
    kind: ClassVar[str] = "products"
    label: ClassVar[Any] = gettext_lazy("Products")
    position: ClassVar[int] = 20
    model: ClassVar[type[Product]] = Product
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Product, "external_id"), required=True),
        Field("name_en", gettext_lazy("Name in English."), key, required=True),
        Field("name_fr", gettext_lazy("Name in French."), key),
        Field("code", gettext_lazy("Article number."), text(Product, "code")),
        Field("category_en", gettext_lazy("Category in English."), key),
        Field("category_fr", gettext_lazy("Category in French."), key),
        Field("category_code", gettext_lazy("What rules compare: bikes."), text(Product, "category_code")),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        """A product refers to nothing."""

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([self._values(row) for row in rows], into=Product.objects.all())
        count(self, outcome)
        journal.record_many(
            journal.entry(
                verb="leads.product.changed", subject=change.row, actor=self.actor, before=change.before,
                after=change.after,
            )
            for change in outcome.changed.values()
        )  # fmt: skip

    def _values(self, row: Row) -> dict[str, Any]:
        values = dict(row.values)
        for name in ("name", "category"):
            mapped = [language for language in LANGUAGES if f"{name}_{language}" in self.mapped]
            texts = {language: values.pop(f"{name}_{language}") for language in mapped}
            if mapped:
                values[name] = {language: text for language, text in texts.items() if text}
        return values


class SaleImporter(Importer):
    """A sale that changes, or is voided, leaves a journal entry, and the next night posts the difference it makes."""

    kind: ClassVar[str] = "sales"
    label: ClassVar[Any] = gettext_lazy("Sales")
    position: ClassVar[int] = 30
    model: ClassVar[type[Sale]] = Sale
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("The invoice line's own key."), text(Sale, "external_id"), required=True),
        Field("partner", gettext_lazy("External id of the partner."), key, required=True),
        Field("sold_on", gettext_lazy("Day of the sale."), day, required=True),
        Field("amount", gettext_lazy("Net amount; negative for a refund."), amount, required=True),
        Field("currency", gettext_lazy("Three letters (ISO 4217)."), capitals(text(Sale, "currency")), required=True),
        Field("kind", gettext_lazy("new, renewal or refund; new where it is not mapped."), text(Sale, "kind"), empty=Sale.Kind.NEW.value),
        Field("order_number", gettext_lazy("Order or invoice number."), text(Sale, "order_number")),
        Field("product", gettext_lazy("External id of the product."), key, empty=None),
        Field("customer_name", gettext_lazy("The customer."), text(Sale, "customer_name")),
        Field("quantity", gettext_lazy("How many; negative only in a refund."), whole(), empty=1),
        Field("unit_price", gettext_lazy("Price of one."), amount, empty=None),
        Field("cost", gettext_lazy("What the whole line cost, not one piece; negative for a refund."), amount, empty=None),
        Field("recurring_amount", gettext_lazy("The part of the net amount that recurs; negative for a refund."), amount, empty=None),
        Field("sourced", "partner, vendor, influenced", text(Sale, "sourced")),
        Field("refund_of", gettext_lazy("For a refund: external id of the sale that it takes back."), key, empty=None),
        Field("voided", gettext_lazy("Why its system deleted the sale; empty while it stands."), text(Sale, "void_reason")),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        # A sale that is not found may stand on a row that was refused.
        is_whole = not self.report.problem_count
        partners = partner_keys(row.values["partner"] for row in rows)
        products = self._products(rows) if "product" in self.mapped else {}
        held = self._held(rows)
        for row in rows:
            values = row.values
            values.setdefault("kind", Sale.Kind.NEW.value)
            values["partner_id"] = partners.get(values.pop("partner"))
            if values["partner_id"] is None:
                self.refuse(row, "partner", _("there is no partner with this external id"))
            if "product" in values:
                wanted = values.pop("product")
                values["product_id"] = products.get(wanted)
                if wanted is not None and values["product_id"] is None:
                    self.refuse(row, "product", _("there is no product with this external id"))
            self._check_signs(row, held.get(values["external_id"]))
            self._void(row, held.get(values["external_id"]))
        if held or "refund_of" in self.mapped:
            self.known["awaited"] = Batch(rows, held, is_whole).check(self.refuse)

    def _products(self, rows: list[Row]) -> dict[str, int]:
        wanted = {row.values["product"] for row in rows if row.values["product"] is not None}
        return dict(Product.objects.filter(external_id__in=wanted).values_list("external_id", "pk"))

    def _held(self, rows: list[Row]) -> dict[str, Sale]:
        """Sales that are there already, by external id; locked."""
        own = [row.values["external_id"] for row in rows]
        found = looked_at().filter(external_id__in=own).order_by("pk").select_for_update(no_key=True)
        return {sale.external_id: sale for sale in found}

    def _check_signs(self, row: Row, held: Sale | None) -> None:
        amount, quantity = row.values["amount"], row.values.get("quantity", 1)
        if row.values["kind"] == Sale.Kind.REFUND:
            if amount > 0:
                self.refuse(row, "amount", _("is positive, but the row is a refund"))
            if (row.values.get("cost") or 0) > 0:
                self.refuse(row, "cost", _("is positive, but the row is a refund"))
        elif amount < 0:
            self.refuse(row, "amount", _("is negative; only a row of kind “refund” may be"))
        elif quantity < 0:
            self.refuse(row, "quantity", _("is negative; only in a row of kind “refund” may it be"))
        recurring = row.values.get("recurring_amount", held.recurring_amount if held else None)
        if recurring is not None and not min(amount, 0) <= recurring <= max(amount, 0):
            self.refuse(row, "recurring_amount", _("is no part of the net amount"))

    def _void(self, row: Row, held: Sale | None) -> None:
        """A reason makes a voided sale, none a standing one."""
        if "voided" in row.values:
            reason = row.values.pop("voided")
            already = held.voided_at if held else None
            row.values |= {"void_reason": reason, "voided_at": (already or timezone.now()) if reason else None}

    def save(self, rows: list[Row]) -> None:
        """Refunds of sales that are new after these."""
        awaited: dict[int, str] = self.known.pop("awaited", {})
        self._write([row for row in rows if row.line not in awaited])
        later = [row for row in rows if row.line in awaited]
        if later:
            made = Sale.objects.filter(external_id__in=set(awaited.values()))
            ids = dict(made.values_list("external_id", "pk"))
            for row in later:
                row.values["refund_of_id"] = ids[awaited[row.line]]
            self._write(later)

    def _write(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=Sale.objects.all())
        count(self, outcome)
        journal.record_many(line for change in outcome.changed.values() for line in self._entries(change))

    def _entries(self, change: Change) -> Iterable[Line]:
        """That a sale was voided or restored has an entry of its own."""
        sale: Any = change.row
        others = [name for name in change.after if name not in ("voided_at", "void_reason")]
        if others:
            yield journal.entry(
                verb="leads.sale.changed", subject=sale, actor=self.actor, partner_id=sale.partner_id,
                before={name: change.before[name] for name in others},
                after={name: change.after[name] for name in others},
            )  # fmt: skip
        if "void_reason" in change.after:
            yield void_entry(sale, before=change.before["void_reason"], actor=self.actor)


class CollectionImporter(Importer):
    """A changed collection leaves a journal entry."""

    kind: ClassVar[str] = "collections"
    label: ClassVar[Any] = gettext_lazy("Collections")
    position: ClassVar[int] = 32
    model: ClassVar[type[Collection]] = Collection
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("The payment’s own key."), text(Collection, "external_id"), required=True),
        Field("sale", gettext_lazy("External id of the sale."), key, required=True),
        Field("amount", gettext_lazy("Net amount that came in, in the sale’s currency; negative: it went back."), amount, required=True),
        Field("collected_on", gettext_lazy("Day it came in."), day, required=True),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        sales = _sales_by_key(rows)
        for row in rows:
            sale = sales.get(row.values.pop("sale"))
            row.values["sale_id"] = sale and sale.pk
            if sale is None:
                self.refuse(row, "sale", _("there is no sale with this external id"))
            if not row.values["amount"]:
                self.refuse(row, "amount", _("is nothing"))

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=Collection.objects.all())
        count(self, outcome)
        changed = {change.row.sale_id for change in outcome.changed.values()}  # type: ignore[attr-defined]
        partners = dict(Sale.objects.filter(pk__in=changed).values_list("pk", "partner_id")) if changed else {}
        journal.record_many(changed_entries(outcome, partners, self.actor))


class SplitImporter(Importer):
    """Shares of sales, a row for each sale and partner; 0 parts take a share away. A sale whose shares change has a journal
    entry, and is stamped as changed.
    """

    kind: ClassVar[str] = "splits"
    label: ClassVar[Any] = gettext_lazy("Shares of sales")
    position: ClassVar[int] = 34
    model: ClassVar[type[Split]] = Split
    identity: ClassVar[tuple[str, ...]] = ("sale", "partner")
    known_by: ClassVar[tuple[str, ...]] = ("sale_id", "partner_id")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("sale", gettext_lazy("External id of the sale."), key, required=True),
        Field("partner", gettext_lazy("External id of the partner."), key, required=True),
        Field("parts", gettext_lazy("How many parts are its: 1, 1 and 1 are thirds; 0: no share any more."), whole(least=0, most=MOST_PARTS), required=True),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        sales, partners = _sales_by_key(rows), partner_keys(row.values["partner"] for row in rows)
        for row in rows:
            sale = sales.get(row.values.pop("sale"))
            row.values |= {"sale_id": sale and sale.pk, "partner_id": partners.get(row.values.pop("partner"))}
            if sale is None:
                self.refuse(row, "sale", _("there is no sale with this external id"))
            if row.values["partner_id"] is None:
                self.refuse(row, "partner", _("there is no partner with this external id"))

    def save(self, rows: list[Row]) -> None:
        sales = {row.values["sale_id"] for row in rows}
        locked = Sale.objects.filter(pk__in=sales).order_by("pk").select_for_update(no_key=True).in_bulk()
        before = _shares(sales)
        gone = [row.values for row in rows if not row.values["parts"]]
        taken = there(gone, among=Split.objects.all(), key=self.known_by) if gone else {}
        Split.objects.filter(pk__in=[split.pk for split in taken.values()]).delete()
        outcome = upsert(
            [row.values for row in rows if row.values["parts"]], into=Split.objects.all(), key=self.known_by
        )
        count(self, outcome)
        self.report.changed += len(taken)
        self.report.unchanged += len(gone) - len(taken)
        after = _shares(sales)
        changed = [pk for pk in sorted(sales) if before.get(pk, {}) != after.get(pk, {})]
        Sale.objects.filter(pk__in=changed).update(changed_at=timezone.now())
        journal.record_many(
            splits_entry(locked[pk], before.get(pk, {}), after.get(pk, {}), self.actor) for pk in changed
        )


def _sales_by_key(rows: list[Row]) -> dict[str, Sale]:
    return {sale.external_id: sale for sale in looked_at().filter(external_id__in={row.values["sale"] for row in rows})}


def _shares(sales: Iterable[int]) -> dict[int, dict[str, int]]:
    """Parts by partner's external id, by sale."""
    found: dict[int, dict[str, int]] = {}
    rows = Split.objects.filter(sale__in=sales).order_by("sale", "partner")
    for sale_id, partner, parts in rows.values_list("sale_id", "partner__external_id", "parts"):
        found.setdefault(sale_id, {})[partner] = parts
    return found


def register() -> None:
    kinds.register(ProductImporter)
    kinds.register(SaleImporter)
    kinds.register(CollectionImporter)
    kinds.register(SplitImporter)
