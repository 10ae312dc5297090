"""The facts this app offers to tier measures: sales, what came in for them, deals and leads.

A voided sale is no fact of any of them.
"""

from datetime import date

from django.db.models import Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from common.money import AmountField
from leads.models import Collection, Deal, Lead, Sale, Sourced
from tiers.datasets import Dataset, Field
from tiers.datasets import register as offer

# Both are of the whole sale. Empty where nobody said what it cost.
MARGIN = ExpressionWrapper(F("amount") - F("cost"), output_field=AmountField())


def _sales(day: date) -> QuerySet[Sale]:
    return Sale.objects.standing()


def _collections(day: date) -> QuerySet[Collection]:
    return Collection.objects.standing()


def _deals(day: date) -> QuerySet[Deal]:
    return Deal.objects.annotate(registered_on=TruncDate("registered_at"))


def _leads(day: date) -> QuerySet[Lead]:
    return Lead.objects.annotate(created_on=TruncDate("created_at"))


def customers(day: date) -> QuerySet[Sale]:
    """One row for each partner and customer: the first purchase, with the day of the last one before `day`.

    A refund is no purchase, and a sale without a customer's name is nobody's.
    """
    purchases = Sale.objects.standing().filter(~Q(kind=Sale.Kind.REFUND), ~Q(customer_name=""))
    same = purchases.filter(partner=OuterRef("partner"), customer_name=OuterRef("customer_name"))
    earlier = same.filter(
        Q(sold_on__lt=OuterRef("sold_on")) | Q(sold_on=OuterRef("sold_on"), pk__lt=OuterRef("pk")),
    )
    last = same.filter(sold_on__lt=day).order_by().values("customer_name").annotate(on=Max("sold_on")).values("on")
    return purchases.filter(~Exists(earlier)).annotate(last_bought_on=Subquery(last), first_bought_on=F("sold_on"))


def register() -> None:
    offer(
        Dataset(
            key="sales", label=_("Sales"), rows=_sales, partner="partner_id", dated="sold_on",
            fields={
                "amount": Field("amount", _("Net amount"), "amount"),
                "recurring_amount": Field("recurring_amount", _("Recurring amount"), "amount"),
                "margin": Field(MARGIN, _("Margin"), "amount"),
                "currency": Field("currency", _("Currency"), "text"),
                "quantity": Field("quantity", _("Quantity"), "number"),
                "kind": Field("kind", _("Kind"), "text", Sale.Kind.choices),
                "sourced": Field("sourced", _("Sourced"), "text", Sourced.choices),
                "product": Field("product__external_id", _("Product"), "text"),
                "category": Field("product__category_code", _("Product category"), "text"),
                "order_number": Field("order_number", _("Order"), "text"),
                "customer_name": Field("customer_name", _("Customer"), "text"),
            },
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="collections", label=_("Collections"), rows=_collections, partner="sale__partner_id", dated="collected_on",
            fields={
                "amount": Field("amount", _("Amount"), "amount"),
                "currency": Field("sale__currency", _("Currency"), "text"),
                "kind": Field("sale__kind", _("Kind"), "text", Sale.Kind.choices),
                "product": Field("sale__product__external_id", _("Product"), "text"),
                "category": Field("sale__product__category_code", _("Product category"), "text"),
                "customer_name": Field("sale__customer_name", _("Customer"), "text"),
            },
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="deals", label=_("Deals"), rows=_deals, partner="partner_id", dated="registered_on",
            fields={
                "amount": Field("amount", _("Amount"), "amount"),
                "currency": Field("currency", _("Currency"), "text"),
                "status": Field("status", _("Status"), "text", Deal.Status.choices),
                "customer_name": Field("customer_name", _("Customer"), "text"),
            },
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="leads", label=_("Leads"), rows=_leads, partner="partner_id", dated="created_on",
            fields={
                "status": Field("status", _("Status"), "text", Lead.Status.choices),
                "source": Field("source", _("Source"), "text", Lead.Source.choices),
            },
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="customers", label=_("Customers"), rows=customers, partner="partner_id", dated="sold_on",
            fields={
                "name": Field("customer_name", _("Customer"), "text"),
                "first_bought_on": Field("first_bought_on", _("First bought on"), "day"),
                "last_bought_on": Field("last_bought_on", _("Last bought on"), "day"),
            },
            days=("last_bought_on",),
        )
    )  # fmt: skip
