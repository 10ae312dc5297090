"""The append-only ledger of earnings, sealed; and what the night keeps to know what is not settled."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.plans import Plan
from commissions.models.visibility import pay_visible_to
from common.money import AmountField, round_to_minor_unit
from leads.models import CURRENCY, Sale
from partners.models import Partner
from tiers.models import CODE, Program, Run, Tier

EVENT_NAMES = {
    "sale": _("Sale"),
    "collection": _("Money collected for a sale"),
    "first_sale": _("First sale of the partner"),
    "deal_won": _("Deal won"),
    "lead_qualified": _("Lead that became an approved deal"),
    "lead_accepted": _("Lead accepted"),
    "certification": _("Certificate awarded"),
    "tier_reached": _("Tier reached"),
    "activity": _("Activity, or another record"),
    "manual": _("Adjustment"),
}


class Seal(models.Model):
    """A digest over the postings since the seal before and over that seal's own digest: a line changed behind the
    database's back shows (`manage.py verify_ledger`). Appended.
    """

    number = models.PositiveIntegerField(_("number"), unique=True)
    before = models.CharField(_("digest before"), max_length=64, blank=True)
    digest = models.CharField(_("digest"), max_length=64)
    sealed_at = models.DateTimeField(_("sealed"))

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.digest[:12]}"


class Posting(models.Model):
    """Lines appended in one transaction, with the digest of them all in the order of their keys. Its seal comes later, once."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="postings")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    posted_at = models.DateTimeField(_("posted"))
    lines = models.PositiveIntegerField(_("lines"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    seal = models.ForeignKey(Seal, null=True, on_delete=models.PROTECT, related_name="postings")

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.posted_at:%Y-%m-%d %H:%M} ({self.lines})"


class Terms(models.Model):
    """What lines were computed by, kept once for all that share it: plan, rule, tier, and each rule with its conditions met
    and failed. `digest` is that of all of them. Appended.

    `document["tried"]` has a row for each rule that was looked at: [code, outcome, [whether each condition held]].
    """

    digest = models.CharField(max_length=64, unique=True)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("plan"))
    tier = models.ForeignKey(Tier, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("tier"))
    rule = models.CharField(_("rule"), max_length=40, blank=True, validators=[CODE])
    reason = models.CharField(_("why nothing is due"), max_length=20, blank=True)
    document = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")

    def __str__(self) -> str:
        return f"{self.plan} {self.rule}" if self.plan_id else self.reason


class EarningQuerySet(models.QuerySet["Earning"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)

    def with_terms(self) -> Self:
        """With what a line shows, in the same query."""
        return self.select_related("sale__product", "sale__deal", "terms__tier", "terms__plan", "posting")


class Earning(models.Model):
    """One line of the ledger: the difference between what a fact should earn a partner and what was posted before.

    Appended, never changed or deleted (a trigger holds it). `event` and `fact` name the fact (docs/plan-file.md, Events) and
    `owner` whose fact it is; `partner` is who earns: the owner, a partner that shares it, or its sponsor. `number` counts the
    lines of one fact of one owner, so two runs that both computed the same difference cannot both post it.

    A line explains itself: `terms` (plan, rule, tier, conditions), `base` and `rate` (a share, or money where the rule pays so
    much for each), `before` (what stood posted), `detail` (exchange rates, bands, caps, shares; empty where none played a part).
    before + amount is what is due now. `available_on` is the first day that a statement may hold it.
    """

    class Kind(models.TextChoices):
        ACCRUAL = "accrual", _("Commission")
        BONUS = "bonus", _("Bonus")
        ADJUSTMENT = "adjustment", _("Adjustment")
        REVERSAL = "reversal", _("Reversal")
        REIMBURSEMENT = "reimbursement", _("Reimbursement")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="earnings", db_index=False)
    owner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", db_index=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    event = models.CharField(_("event"), max_length=14)
    fact = models.BigIntegerField(_("fact"))
    sale = models.ForeignKey(Sale, null=True, on_delete=models.PROTECT, related_name="earnings", db_index=False)
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=13, choices=Kind)
    earned_on = models.DateField(_("earned on"), help_text=_("The day of what earned it."))
    terms_on = models.DateField(_("terms of"), help_text=_("The day whose plan and tier count."))
    available_on = models.DateField(_("available on"))
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="earnings")
    terms = models.ForeignKey(Terms, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    base = AmountField(_("base"))
    rate = models.DecimalField(_("rate"), max_digits=16, decimal_places=6)
    before = AmountField(_("posted before"))
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    detail = models.JSONField(_("detail"), null=True)
    fact_changed_at = models.DateTimeField(_("as it was on"), null=True)

    objects = EarningQuerySet.as_manager()

    class Meta:
        verbose_name = _("earning")
        verbose_name_plural = _("earnings")
        ordering = ["-earned_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fact", "event", "program", "owner", "number"], name="commissions_each_line_of_a_fact_once"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="commissions_line_changes_something"),
            models.CheckConstraint(condition=Q(number__gte=1), name="commissions_lines_count_from_one"),
        ]
        indexes = [
            models.Index(fields=["partner", "earned_on"], name="commissions_earning_by_partner"),
            models.Index(
                fields=["owner", "earned_on"], condition=~Q(owner=F("partner")), name="commissions_earning_of_others"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.fact}/{self.number}: {self.amount} {self.currency}"

    @property
    def event_name(self) -> str:
        """What earned it, as people call it."""
        return str(EVENT_NAMES[self.event])

    @property
    def plan(self) -> Plan | None:
        return self.terms.plan if self.terms else None

    @property
    def tier(self) -> Tier | None:
        return self.terms.tier if self.terms else None

    @property
    def rule(self) -> str:
        """The code of the rule that paid it; empty for what a person posted."""
        return self.terms.rule if self.terms else ""

    @property
    def posted_at(self) -> datetime:
        return self.posting.posted_at


class Unpaid(models.Model):
    """A fact of a day with a plan in force that stands with nothing, and why. Replaced whenever its partner is settled, by rows
    that were read in the same transaction: the database does not look each of their keys up again.
    """

    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    partner = models.ForeignKey(
        Partner, on_delete=models.CASCADE, related_name="unpaid", db_index=False, db_constraint=False
    )
    event = models.CharField(_("event"), max_length=14)
    fact = models.BigIntegerField(_("fact"))
    sale = models.ForeignKey(
        Sale, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    terms_on = models.DateField(_("on"))
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        verbose_name = _("fact that earned nothing")
        verbose_name_plural = _("facts that earned nothing")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "program", "event", "fact"], name="commissions_one_reason_per_unpaid_fact"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.fact}"


class Unsettled(models.Model):
    """What a partner earns in a program for facts from `since` on may not stand in the ledger. Appended by triggers on every table
    that pay depends on, taken away by the night that settles it.
    """

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    since = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["program", "partner"], name="commissions_unsettled_partner")]

    def __str__(self) -> str:
        return f"{self.program_id}/{self.partner_id} {self.since}"


class Adjustment(models.Model):
    """Money that a person adds or takes, approved by another; posted once, and left alone by every night."""

    class Category(models.TextChoices):
        CORRECTION = "correction", _("Correction")
        GOODWILL = "goodwill", _("Goodwill")
        BONUS = "bonus", _("Bonus")
        DISPUTE = "dispute", _("Dispute")
        REIMBURSEMENT = "reimbursement", _("Reimbursement")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        POSTED = "posted", _("Posted")
        REFUSED = "refused", _("Refused")

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="adjustments", verbose_name=_("partner")
    )
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", verbose_name=_("program"))
    category = models.CharField(_("category"), max_length=13, choices=Category)
    reason = models.CharField(_("reason"), max_length=500)
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    earned_on = models.DateField(_("earned on"))
    about = models.ForeignKey(
        Earning, null=True, blank=True, on_delete=models.PROTECT, related_name="adjustments", verbose_name=_("about")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("author")
    )
    proposed_at = models.DateTimeField(_("proposed"), auto_now_add=True)
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True, help_text=_("Why it was refused."))

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="commissions_adjustment_changes_something"),
            models.CheckConstraint(condition=~Q(reason=""), name="commissions_adjustment_says_why"),
            models.CheckConstraint(
                condition=Q(state="proposed", approver__isnull=True)
                | ~Q(state="proposed") & Q(approver__isnull=False) & Q(decided_at__isnull=False),
                name="commissions_adjustment_is_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state="posted") | ~Q(approver=F("author")), name="commissions_adjustment_needs_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner}: {round_to_minor_unit(self.amount, self.currency)} {self.currency}"
