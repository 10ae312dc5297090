"""What may earn: each event is a dataset of facts, with the columns that pay is reckoned from (docs/plan-file.md, Events)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf, TruncDate
from django.utils.translation import gettext_lazy as _

from commissions.models.ledger import EVENT_NAMES
from common.money import AmountField
from common.names import is_name
from leads.models import Collection, Deal, Lead, Offer, Sale, Sourced
from partners.models import Location
from records.datasets import attribute
from records.models import Record
from tiers.datasets import Dataset, Field
from tiers.models import Placement
from training.models import Certificate

TRAIT = "trait:"
NO_DAY = Value(None, output_field=DateField())
NO_AMOUNT = Value(None, output_field=AmountField())
NO_KEY = Value(None, output_field=BigIntegerField())
NO_TEXT = Value("", output_field=CharField())
ONE = Value(1, output_field=IntegerField())
NO_TIME = Value(None, output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Event:
    """Facts that may earn. `on` is the day they earn on, `terms_on` the day whose plan and tier count; `bases` what a rule may
    pay on beside so much for each. Paths are of the dataset's rows; `partner` is whose fact it is.
    """

    key: str
    label: Any  # lazy text
    dataset: Dataset
    on: Any
    terms_on: Any = None  # None: the same day
    bases: tuple[str, ...] = ()
    net: Any = NO_AMOUNT
    margin: Any = NO_AMOUNT
    recurring: Any = NO_AMOUNT
    currency: Any = NO_TEXT
    quantity: Any = ONE
    customer: Any = NO_TEXT
    customer_since: Any = NO_DAY
    refund_of: Any = NO_KEY
    sale: Any = NO_KEY
    changed_at: Any = NO_TIME

    def columns(self, *, with_customers: bool) -> dict[str, Any]:
        """The columns of reckoning.Fact but `met`, by name, behind the partner."""
        return {
            "pay_partner": F(self.dataset.partner), "pay_id": F("pk"), "pay_on": _expression(self.on),
            "pay_terms_on": _expression(self.terms_on or self.on), "pay_currency": _expression(self.currency),
            "pay_net": _expression(self.net), "pay_margin": _expression(self.margin),
            "pay_recurring": _expression(self.recurring), "pay_quantity": _expression(self.quantity),
            "pay_customer": _expression(self.customer),
            "pay_customer_since": _expression(self.customer_since) if with_customers else NO_DAY,
            "pay_refund_of": _expression(self.refund_of), "pay_sale": _expression(self.sale),
            "pay_changed_at": _expression(self.changed_at),
        }  # fmt: skip


def _expression(path: Any) -> Any:
    return F(path) if isinstance(path, str) else path


def of(key: str) -> Event:
    """Raises KeyError for one that there is not."""
    return EVENTS[key]


# --- Sales ----------------------------------------------------------------------------------------


def _first_sale_of(outer: Mapping[str, Any]) -> QuerySet[Sale]:
    return Sale.objects.filter(~Q(kind=Sale.Kind.REFUND), voided_at=None, **outer).order_by("sold_on", "pk")


def _customer_since(prefix: str = "") -> Subquery:
    """The day of the customer's first purchase from the partner, up to the sale's day; none for a sale without a customer's name.

    Up to that day, so that no sale changes what an earlier one earns.
    """
    same = {
        "partner": OuterRef(f"{prefix}partner"), "customer_name": OuterRef(f"{prefix}customer_name"),
        "sold_on__lte": OuterRef(f"{prefix}sold_on"),
    }  # fmt: skip
    return Subquery(_first_sale_of(same).exclude(customer_name="").values("sold_on")[:1])


def _country(partner: str) -> Subquery:
    return Subquery(Location.objects.filter(partner=OuterRef(partner), is_main=True).values("country")[:1])


def _sales(day: date) -> QuerySet[Sale]:
    return Sale.objects.filter(voided_at=None)


def _first_sales(day: date) -> QuerySet[Sale]:
    first = _first_sale_of({"partner": OuterRef("partner")}).values("pk")[:1]
    return Sale.objects.filter(voided_at=None, pk=Subquery(first))


def _trait(partner: str) -> Callable[[str], Field | None]:
    """Texts that staff or an import gave the partner: "trait:segment"."""

    def found(name: str) -> Field | None:
        own = name.removeprefix(TRAIT)
        if own == name or not is_name(own):
            return None
        # Wrapped, it is compared as a text; by itself SQLite would take the other side for JSON.
        text = ExpressionWrapper(KeyTextTransform(own, f"{partner}__traits"), output_field=TextField())
        return Field(text, own, "text")

    return found


def _sale_fields(prefix: str = "") -> dict[str, Field]:
    """What conditions may ask of a sale; `prefix` leads to it from another fact."""
    sourced = Coalesce(
        NullIf(f"{prefix}sourced", Value("")), NullIf(f"{prefix}deal__sourced", Value("")), Value(""),
        output_field=CharField(),
    )  # fmt: skip
    is_new = Case(
        When(**{f"{prefix}sold_on": _customer_since(prefix)}, then=Value(value=True)), default=Value(value=False)
    )
    return {
        "amount": Field(f"{prefix}amount", _("Net amount"), "amount"),
        "recurring_amount": Field(f"{prefix}recurring_amount", _("Recurring amount"), "amount"),
        "currency": Field(f"{prefix}currency", _("Currency"), "text"),
        "quantity": Field(f"{prefix}quantity", _("Quantity"), "number"),
        "kind": Field(f"{prefix}kind", _("Kind"), "text", Sale.Kind.choices),
        "product": Field(f"{prefix}product__external_id", _("Product"), "text"),
        "category": Field(f"{prefix}product__category_code", _("Product category"), "text"),
        "order_number": Field(f"{prefix}order_number", _("Order"), "text"),
        "customer_name": Field(f"{prefix}customer_name", _("Customer"), "text"),
        "sourced": Field(sourced, _("Who sourced it"), "text", Sourced.choices),
        "new_customer": Field(is_new, _("Of the customer’s first day"), "yes_no"),
        "country": Field(_country(f"{prefix}partner"), _("Country of the partner"), "text"),
    }


def _sale_columns(prefix: str = "") -> dict[str, Any]:
    return {
        "currency": f"{prefix}currency", "quantity": f"{prefix}quantity", "customer": f"{prefix}customer_name",
        "customer_since": _customer_since(prefix),
    }  # fmt: skip


_SALES = Dataset("sale", EVENT_NAMES["sale"], _sales, "partner_id", "sold_on", _sale_fields(), extra=_trait("partner"))
_OF_SALE: dict[str, Any] = {
    **_sale_columns(), "net": "amount", "margin": Case(When(cost=None, then=None), default=F("amount") - F("cost"), output_field=AmountField()),
    "recurring": "recurring_amount", "sale": "pk", "changed_at": "changed_at", "bases": ("net", "margin", "recurring"),
}  # fmt: skip
SALE = Event(
    "sale", _("Sale"), _SALES, "sold_on", terms_on=Coalesce("refund_of__sold_on", "sold_on"), refund_of="refund_of_id",
    **_OF_SALE,
)  # fmt: skip
FIRST_SALE = Event(
    "first_sale", EVENT_NAMES["first_sale"],
    Dataset("first_sale", _("First sales"), _first_sales, "partner_id", "sold_on", _sale_fields(), extra=_trait("partner")),
    "sold_on", **_OF_SALE,
)  # fmt: skip


def _collections(day: date) -> QuerySet[Collection]:
    return Collection.objects.filter(sale__voided_at=None)


COLLECTION = Event(
    "collection", EVENT_NAMES["collection"],
    Dataset(
        "collection", _("Collections"), _collections, "sale__partner_id", "collected_on",
        {**_sale_fields("sale__"), "amount": Field("amount", _("Amount collected"), "amount")},
        extra=_trait("sale__partner"),
    ),
    "collected_on", terms_on="sale__sold_on", bases=("net",), net="amount", sale="sale_id", changed_at="changed_at",
    **_sale_columns("sale__"),
)  # fmt: skip

# --- Deals and leads ------------------------------------------------------------------------------


def _won(day: date) -> QuerySet[Deal]:
    return Deal.objects.filter(status=Deal.Status.WON)


def _qualified(day: date) -> QuerySet[Deal]:
    """Leads that became deals which staff approved."""
    approved = Deal.objects.filter(lead__isnull=False, decided_at__isnull=False).exclude(status=Deal.Status.REFUSED)
    return approved.annotate(decided_on=TruncDate("decided_at"))


def _accepted(day: date) -> QuerySet[Offer]:
    """Offers of leads that the partner took, but those that a lead went on to another from."""
    return Offer.objects.filter(answer=Offer.Answer.ACCEPTED).annotate(answered_on=TruncDate("answered_at"))


_DEAL_FIELDS = {
    "amount": Field("amount", _("Amount"), "amount"),
    "currency": Field("currency", _("Currency"), "text"),
    "customer_name": Field("customer_name", _("Customer"), "text"),
    "sourced": Field("sourced", _("Who sourced it"), "text", Sourced.choices),
    "country": Field(_country("partner"), _("Country of the partner"), "text"),
}
DEAL_WON = Event(
    "deal_won", EVENT_NAMES["deal_won"],
    Dataset("deal_won", _("Deals won"), _won, "partner_id", "closed_on", _DEAL_FIELDS, extra=_trait("partner")),
    "closed_on", bases=("net",), net="amount", currency="currency", customer="customer_name",
)  # fmt: skip
LEAD_QUALIFIED = Event(
    "lead_qualified", EVENT_NAMES["lead_qualified"],
    Dataset("lead_qualified", _("Qualified leads"), _qualified, "partner_id", "decided_on", _DEAL_FIELDS, extra=_trait("partner")),
    "decided_on", bases=("net",), net="amount", currency="currency", customer="customer_name",
)  # fmt: skip
LEAD_ACCEPTED = Event(
    "lead_accepted", EVENT_NAMES["lead_accepted"],
    Dataset(
        "lead_accepted", _("Accepted leads"), _accepted, "partner_id", "answered_on",
        {
            "source": Field("lead__source", _("Source"), "text", Lead.Source.choices),
            "lead_country": Field("lead__country", _("Country of the prospect"), "text"),
            "country": Field(_country("partner"), _("Country of the partner"), "text"),
        },
        extra=_trait("partner"),
    ),
    "answered_on",
)  # fmt: skip

# --- People, tiers, records -----------------------------------------------------------------------


def _certificates(day: date) -> QuerySet[Certificate]:
    return Certificate.objects.all()


def _reached(day: date) -> QuerySet[Placement]:
    """Placements in a tier above the one held the day before; the first one is no rise."""
    before = Placement.objects.filter(enrollment=OuterRef("enrollment"), starts_on__lt=OuterRef("starts_on"))
    lower = before.filter(ends_on=OuterRef("starts_on"), tier__rank__lt=OuterRef("tier__rank"))
    is_held = Q(enrollment__ends_on=None) | Q(enrollment__ends_on__gt=F("starts_on"))
    return Placement.objects.filter(is_held, Exists(lower))


def _records(day: date) -> QuerySet[Record]:
    return Record.objects.all()


def _attribute(name: str) -> Field | None:
    return attribute(name) or _trait("partner")(name)


CERTIFICATION = Event(
    "certification", EVENT_NAMES["certification"],
    Dataset(
        "certification", _("Certificates"), _certificates, "member__partner_id", "awarded_on",
        {
            "certification": Field("certification__code", _("Certification"), "text"),
            "job": Field("member__job", _("Job"), "text"),
            "country": Field(_country("member__partner"), _("Country of the partner"), "text"),
        },
        extra=_trait("member__partner"),
    ),
    "awarded_on",
)  # fmt: skip
TIER_REACHED = Event(
    "tier_reached", EVENT_NAMES["tier_reached"],
    Dataset(
        "tier_reached", _("Tiers reached"), _reached, "enrollment__partner_id", "starts_on",
        {
            "tier": Field("tier__code", _("Tier"), "text"),
            "country": Field(_country("enrollment__partner"), _("Country of the partner"), "text"),
        },
        program="enrollment__program_id", extra=_trait("enrollment__partner"),
    ),
    "starts_on",
)  # fmt: skip
ACTIVITY = Event(
    "activity", EVENT_NAMES["activity"],
    Dataset(
        "activity", _("Records"), _records, "partner_id", "occurred_on",
        {
            "kind": Field("kind", _("Kind"), "text"),
            "name": Field("name", _("Name"), "text"),
            "amount": Field("amount", _("Amount"), "amount"),
            "currency": Field("currency", _("Currency"), "text"),
            "country": Field(_country("partner"), _("Country of the partner"), "text"),
        },
        extra=_attribute,
    ),
    "occurred_on", bases=("net",), net="amount", currency="currency",
    quantity=Case(When(quantity=None, then=Value(1)), default=F("quantity") / 10_000, output_field=IntegerField()),
)  # fmt: skip

EVENTS: dict[str, Event] = {
    event.key: event
    for event in (
        SALE, COLLECTION, FIRST_SALE, DEAL_WON, LEAD_ACCEPTED, LEAD_QUALIFIED, CERTIFICATION, TIER_REACHED, ACTIVITY
    )
}  # fmt: skip
MANUAL = "manual"  # adjustments (models.Adjustment): no plan pays them
