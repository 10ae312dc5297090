"""Products and sales from files."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports import kinds
from imports.engine import Importer, Row
from imports.fields import Field, amount, capitals, day, key, text, whole
from imports.upsert import upsert
from journal import services as journal
from leads.models import Product, Sale
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
    """A sale that changes leaves a journal entry, and the next night posts the difference it makes."""

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
        Field("cost", gettext_lazy("What it cost."), amount, empty=None),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        partners = partner_keys(row.values["partner"] for row in rows)
        products = self._products(rows) if "product" in self.mapped else {}
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
            self._check_signs(row)

    def _products(self, rows: list[Row]) -> dict[str, int]:
        wanted = {row.values["product"] for row in rows if row.values["product"] is not None}
        return dict(Product.objects.filter(external_id__in=wanted).values_list("external_id", "pk"))

    def _check_signs(self, row: Row) -> None:
        amount, quantity = row.values["amount"], row.values.get("quantity", 1)
        if row.values["kind"] == Sale.Kind.REFUND:
            if amount > 0:
                self.refuse(row, "amount", _("is positive, but the row is a refund"))
        elif amount < 0:
            self.refuse(row, "amount", _("is negative; only a row of kind “refund” may be"))
        elif quantity < 0:
            self.refuse(row, "quantity", _("is negative; only in a row of kind “refund” may it be"))

    def save(self, rows: list[Row]) -> None:
        outcome = upsert([row.values for row in rows], into=Sale.objects.all())
        count(self, outcome)
        journal.record_many(
            journal.entry(
                verb="leads.sale.changed", subject=change.row, actor=self.actor,
                partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
            )
            for change in outcome.changed.values()
        )  # fmt: skip


def register() -> None:
    kinds.register(ProductImporter)
    kinds.register(SaleImporter)
