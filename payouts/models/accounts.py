"""Where money comes from and where it goes: payer accounts, and each partner's payee accounts as versions."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from leads.models import CURRENCY
from partners.models import Member, Partner
from partners.roles import Right, roles_that_may
from payouts import sealing


class Rail(models.TextChoices):
    SEPA = "sepa", _("SEPA transfer")
    OTHER = "other", _("Other transfer")


def paid_to(user: User) -> Q:
    """Whose payments a person sees: staff everyone's, members with the right their own partner's."""
    if user.is_active and user.is_staff:
        return Q()
    memberships = Member.objects.signing_in_as(user).filter(role__in=roles_that_may(Right.SEE_PAY))
    return Q(partner__in=memberships.values("partner_id"))


class PayeeAccountQuerySet(models.QuerySet["PayeeAccount"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(paid_to(user))

    def in_force(self) -> Self:
        return self.filter(state=PayeeAccount.State.IN_FORCE)

    def waiting(self) -> Self:
        return self.filter(state=PayeeAccount.State.WAITING)


class PayeeAccount(models.Model):
    """One version of where a partner is paid in one currency. Never edited (a trigger holds it): a change is a version.

    A version waits until a person of staff who did not ask for it confirms it; then it takes the place of the one in
    force, and no payout goes to it before `usable_on`. `sealed` holds the account number (see `sealing`); `mask` is all of
    it that is shown anywhere. `flag` is the bank's reason code since a payment to it failed: nothing more is paid to it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for confirmation")
        IN_FORCE = "in_force", _("In force")
        REPLACED = "replaced", _("Replaced")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payee_accounts", db_index=False)
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    version = models.PositiveIntegerField(_("version"))
    rail = models.CharField(_("how"), max_length=10, choices=Rail)
    holder = models.CharField(_("holder"), max_length=140)
    country = models.CharField(_("country of the bank"), max_length=2)
    bank_name = models.CharField(_("bank"), max_length=140, blank=True)
    routing = models.CharField(_("the bank’s code"), max_length=15, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    sealed = models.TextField(editable=False)
    mask = models.CharField(_("account"), max_length=40)
    fingerprint = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    asked_at = models.DateTimeField(_("asked for"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    reason = models.TextField(_("reason"), max_length=1000, blank=True)
    usable_on = models.DateField(_("first payout from"), null=True)
    flag = models.CharField(_("refused by the bank"), max_length=35, blank=True)
    flagged_at = models.DateTimeField(_("refused by the bank at"), null=True)

    objects = PayeeAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("payee account")
        verbose_name_plural = _("payee accounts")
        ordering = ["partner", "currency", "-version"]
        permissions = [("confirm_payeeaccount", _("Can confirm a payee account"))]
        constraints = [
            models.UniqueConstraint(fields=["partner", "currency", "version"], name="payouts_account_versions_count"),
            models.UniqueConstraint(
                fields=["partner", "currency"], condition=Q(state="in_force"), name="payouts_one_account_in_force"
            ),
            models.UniqueConstraint(
                fields=["partner", "currency"], condition=Q(state="waiting"), name="payouts_one_account_waiting"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["in_force", "replaced"])
                | (Q(decided_by__isnull=False, usable_on__isnull=False) & ~Q(decided_by=F("asked_by"))),
                name="payouts_account_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(flag="", flagged_at__isnull=True) | (~Q(flag="") & Q(flagged_at__isnull=False)),
                name="payouts_account_flagged_at_an_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "asked_at"], name="payouts_account_by_state"),
            models.Index(fields=["fingerprint"], name="payouts_account_by_number"),
        ]

    def __str__(self) -> str:
        return f"{self.holder}, {self.mask}"

    def number(self) -> str:
        """The account number in clear: for the file of the bank and nothing else."""
        return sealing.unseal(self.sealed)

    def is_usable_on(self, day: date) -> bool:
        """Whether a payment may reach it on `day`."""
        is_in_force = self.state == self.State.IN_FORCE and self.usable_on is not None
        return is_in_force and not self.flag and self.usable_on <= day  # type: ignore[operator]


class PayerAccount(models.Model):
    """An account of the vendor's from which payouts leave, in one currency and by one rail."""

    name = models.CharField(
        _("holder"), max_length=70, help_text=_("As the bank knows it: it stands on every payment.")
    )
    rail = models.CharField(_("how"), max_length=10, choices=Rail)
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    iban = models.CharField(_("IBAN or account number"), max_length=34)
    bic = models.CharField("BIC", max_length=11, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("payer account")
        verbose_name_plural = _("payer accounts")
        ordering = ["currency", "rail", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(rail="sepa") | Q(currency="EUR"), name="payouts_sepa_leaves_in_euros")
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.currency}, {self.iban[:4]} •••• {self.iban[-4:]}"
