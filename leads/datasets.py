"""The facts this app offers to tier measures: sales, deals and leads."""

from datetime import date

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from leads.models import Deal, Lead, Sale
from tiers.datasets import Dataset, Field
from tiers.datasets import register as offer


def _sales(day: date) -> QuerySet[Sale]:
    return Sale.objects.all()


def _deals(day: date) -> QuerySet[Deal]:
    return Deal.objects.annotate(registered_on=TruncDate("registered_at"))


def _leads(day: date) -> QuerySet[Lead]:
    return Lead.objects.annotate(created_on=TruncDate("created_at"))


def customers(day: date) -> QuerySet[Sale]:
    """One row for each partner and customer: the first purchase, with the day of the last one before `day`.

    A refund is no purchase, and a sale without a customer's name is nobody's.
    """
    purchases = Sale.objects.filter(~Q(kind=Sale.Kind.REFUND), ~Q(customer_name=""))
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
                "currency": Field("currency", _("Currency"), "text"),
                "quantity": Field("quantity", _("Quantity"), "number"),
                "kind": Field("kind", _("Kind"), "text", Sale.Kind.choices),
                "product": Field("product__external_id", _("Product"), "text"),
                "category": Field("product__category_code", _("Product category"), "text"),
                "order_number": Field("order_number", _("Order"), "text"),
                "customer_name": Field("customer_name", _("Customer"), "text"),
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
