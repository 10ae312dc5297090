"""A prospect's need (Lead), an opportunity a partner works (Deal), and revenue (Sale). Owns the revenue facts."""

from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.money import AmountField
from common.texts import TextsField
from partners.models import Partner

CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Three capital letters (ISO 4217)."))


class Sourced(models.TextChoices):
    """Who brought a deal or a sale."""

    PARTNER = "partner", _("Partner sourced")
    VENDOR = "vendor", _("Vendor lead")
    INFLUENCED = "influenced", _("Influenced")


class Product(models.Model):
    external_id = models.CharField(_("external id"), max_length=64, unique=True)
    code = models.CharField(_("code"), max_length=64, blank=True)
    name = TextsField(_("name"))
    category = TextsField(_("category"), default=dict, blank=True)
    category_code = models.CharField(
        _("category code"), max_length=64, blank=True, help_text=_("What filters compare.")
    )

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["code", "id"]

    def __str__(self) -> str:
        return str(self.name)


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_active and user.is_staff else self.filter(partner__in=Partner.objects.visible_to(user))

    def open(self) -> Self:
        return self.filter(status__in=[Lead.Status.NEW, Lead.Status.OFFERED, Lead.Status.ACCEPTED])


class Lead(models.Model):
    """A prospect's need, before a partner works it as a deal."""

    class Status(models.TextChoices):
        NEW = "new", _("New")
        OFFERED = "offered", _("Offered")
        ACCEPTED = "accepted", _("Accepted")
        CONVERTED = "converted", _("Became a deal")
        LOST = "lost", _("Lost")

    class Source(models.TextChoices):
        PROFILE = "profile", _("Partner page")
        STAFF = "staff", _("Entered by staff")
        API = "api", _("API")

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.NEW)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    partner = models.ForeignKey(
        Partner,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="leads",
        verbose_name=_("partner"),
        help_text=_("Who has it now. Empty while nobody does."),
    )
    contact_name = models.CharField(_("contact"), max_length=200)
    contact_email = models.EmailField(_("e-mail address"))
    contact_phone = models.CharField(_("phone"), max_length=40, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, validators=[RegexValidator(r"^[A-Z]{2}$")])
    need = models.TextField(_("need"), max_length=4000)
    consent_at = models.DateTimeField(_("consented"), null=True, blank=True)
    consent_text = models.TextField(_("consent, as it was given"), blank=True)
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real prospect."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="new") | Q(partner__isnull=False), name="leads_lead_past_new_has_a_partner"
            )
        ]
        indexes = [models.Index(fields=["partner", "status"], name="leads_lead_by_partner")]

    def __str__(self) -> str:
        return self.company or self.contact_name


class Offer(models.Model):
    """A lead was given to a partner, and what the partner answered. The history of who had it."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="offers")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    offered_at = models.DateTimeField(_("offered"), auto_now_add=True)
    answer = models.CharField(_("answer"), max_length=10, choices=Answer, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["lead"], condition=Q(answer=""), name="leads_one_open_offer_per_lead"),
            models.CheckConstraint(
                condition=~Q(answer="declined") | ~Q(reason=""), name="leads_declined_offer_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lead} → {self.partner}"


class DealQuerySet(models.QuerySet["Deal"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))


class Deal(models.Model):
    """An opportunity that a partner registers or makes of a lead; staff approve it, and a won one becomes a sale."""

    class Status(models.TextChoices):
        SUBMITTED = "submitted", _("Waiting for approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="deals")
    lead = models.OneToOneField(Lead, null=True, blank=True, on_delete=models.PROTECT, related_name="deal")
    title = models.CharField(_("title"), max_length=200)
    customer_name = models.CharField(_("customer"), max_length=200)
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    sourced = models.CharField(_("sourced"), max_length=10, choices=Sourced, blank=True)
    expected_on = models.DateField(_("expected on"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.SUBMITTED)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    registered_at = models.DateTimeField(_("registered"), auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Of a refusal or a loss."))
    closed_on = models.DateField(_("closed on"), null=True, blank=True)

    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = _("deal")
        verbose_name_plural = _("deals")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="leads_deal_amount_is_positive"),
            models.CheckConstraint(
                condition=~Q(status__in=["won", "lost"]) | Q(closed_on__isnull=False),
                name="leads_closed_deal_has_its_day",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["refused", "lost"]) | ~Q(reason=""), name="leads_refused_or_lost_deal_says_why"
            ),
        ]
        indexes = [models.Index(fields=["partner", "status"], name="leads_deal_by_partner")]

    def __str__(self) -> str:
        return self.title


class SaleQuerySet(models.QuerySet["Sale"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))

    def standing(self) -> Self:
        """Sales that count: not those their system deleted."""
        return self.filter(voided_at__isnull=True)

    def told(self) -> Self:
        """With what `{% sale_notes %}` tells of them: two queries more, whatever their number."""
        refunds = Prefetch("refunds", Sale.objects.standing().order_by("sold_on", "id"), to_attr="taken_back")
        return self.select_related("product", "deal", "refund_of__product", "refund_of__deal").prefetch_related(
            refunds, "splits"
        )


class Sale(models.Model):
    """A revenue fact, signed: an invoice line, a renewal, a refund (negative). Its external id never comes twice.

    An import may change it; each change leaves a journal entry, and the next night posts the difference it makes.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("New business")
        RENEWAL = "renewal", _("Renewal")
        REFUND = "refund", _("Refund")

    external_id = models.CharField(_("external id"), max_length=64, unique=True)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="sales", db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NEW)
    order_number = models.CharField(_("order"), max_length=64, blank=True)
    sold_on = models.DateField(_("sold on"))
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="sales")
    customer_name = models.CharField(_("customer"), max_length=200, blank=True)
    quantity = models.IntegerField(_("quantity"), default=1)
    unit_price = AmountField(_("unit price"), null=True, blank=True)
    cost = AmountField(_("cost"), null=True, blank=True)
    amount = AmountField(_("net amount"))
    recurring_amount = AmountField(
        _("recurring amount"), null=True, blank=True, help_text=_("The part of the net amount that recurs.")
    )
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    sourced = models.CharField(_("sourced"), max_length=10, choices=Sourced, blank=True)
    deal = models.OneToOneField(Deal, null=True, blank=True, on_delete=models.PROTECT, related_name="sale")
    refund_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="refunds",
        verbose_name=_("refund of"),
        help_text=_("The sale that this refund takes back, wholly or in part."),
    )
    voided_at = models.DateTimeField(
        _("voided"), null=True, blank=True, help_text=_("When its system deleted it. It counts nowhere since.")
    )
    void_reason = models.CharField(_("reason of the void"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SaleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sale")
        verbose_name_plural = _("sales")
        ordering = ["-sold_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="refund", amount__lte=0) | ~Q(kind="refund") & Q(amount__gte=0),
                name="leads_refund_is_negative_and_nothing_else_is",
            ),
            models.CheckConstraint(
                condition=Q(recurring_amount__isnull=True)
                | Q(recurring_amount__gte=0, recurring_amount__lte=F("amount"))
                | Q(recurring_amount__lte=0, recurring_amount__gte=F("amount")),
                name="leads_sale_recurs_at_most_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(refund_of__isnull=True) | Q(kind="refund"), name="leads_only_a_refund_takes_back_a_sale"
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, void_reason="") | Q(voided_at__isnull=False) & ~Q(void_reason=""),
                name="leads_voided_sale_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "sold_on"], name="leads_sale_by_partner"),
            models.Index(fields=["sold_on"], name="leads_sale_by_day"),
            models.Index(fields=["partner", "customer_name", "sold_on"], name="leads_sale_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} · {self.sold_on}"

    @property
    def what(self) -> str:
        """What was sold, as people call it: the product, else the deal, else the external id."""
        return str(self.product or self.deal or self.external_id)


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(sale__partner__in=Partner.objects.visible_to(user))

    def standing(self) -> Self:
        """Collections of sales that count."""
        return self.filter(sale__voided_at__isnull=True)


class Collection(models.Model):
    """Money that came in for a sale (negative: went back), in the sale's currency. Its external id never comes twice."""

    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="collections", verbose_name=_("sale"))
    external_id = models.CharField(_("external id"), max_length=64, unique=True)
    amount = AmountField(_("amount"))
    collected_on = models.DateField(_("collected on"))
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["-collected_on", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="leads_collection_is_of_some_money")]
        indexes = [models.Index(fields=["collected_on"], name="leads_collection_by_day")]

    def __str__(self) -> str:
        return f"{self.external_id} · {self.collected_on}"


class Split(models.Model):
    """A partner's share of what a sale earns, in parts: 1, 1 and 1 are thirds.

    A sale without splits is all its partner's.
    """

    sale = models.ForeignKey(Sale, on_delete=models.CASCADE, related_name="splits")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="splits", verbose_name=_("partner"))
    parts = models.PositiveSmallIntegerField(_("parts"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("split")
        verbose_name_plural = _("splits")
        ordering = ["sale", "partner"]
        constraints = [
            models.UniqueConstraint(fields=["sale", "partner"], name="leads_one_split_per_sale_and_partner"),
            models.CheckConstraint(condition=Q(parts__gte=1), name="leads_split_has_a_part"),
        ]

    def __str__(self) -> str:
        return f"{self.partner} · {self.parts}"
