"""What staff set about statements."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.money import minor_unit


def minimums_are_amounts(minimums: object) -> None:
    if not isinstance(minimums, dict):
        raise ValidationError(_('Minimums are given by currency, as {"EUR": "50"}.'))
    for currency, amount in minimums.items():
        try:
            value = Decimal(str(amount))
        except ArithmeticError:
            value = Decimal(-1)
        if len(currency) != 3 or not currency.isupper() or value < 0 or value % minor_unit(currency):
            raise ValidationError(
                _("“%(currency)s: %(amount)s” is no minimum: write an amount for each currency, as EUR and 50."),
                params={"currency": currency, "amount": amount},
            )


class StatementSettings(models.Model):
    """One row at most; without one, the defaults hold."""

    class Approval(models.TextChoices):
        BY_HAND = "by_hand", _("by staff")
        BY_ITSELF = "by_itself", _("at the end of the review")

    only = models.BooleanField(default=True, unique=True, editable=False)
    review_days = models.PositiveSmallIntegerField(
        _("days of review"), default=10, validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("How long a partner may question the lines of a statement that was issued."),
    )  # fmt: skip
    approval = models.CharField(
        _("statements are approved"), max_length=10, choices=Approval, default=Approval.BY_HAND,
        help_text=_("Staff can approve at any time; without it, nothing is paid."),
    )  # fmt: skip
    minimums = models.JSONField(
        _("smallest payment"), default=dict, blank=True, validators=[minimums_are_amounts],
        help_text=_("By currency. What is below is carried over to the next statement."),
    )  # fmt: skip
    answer_days = models.PositiveSmallIntegerField(
        _("days to answer"), default=5, validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("How long staff have to answer a line that a partner questions."),
    )  # fmt: skip
    close_days = models.PositiveSmallIntegerField(
        _("days to close a month"), default=5, validators=[MaxValueValidator(60)],
        help_text=_("How many days after a month its statements are issued. Partners read it as a date; staff do it."),
    )  # fmt: skip
    reminder_days = models.PositiveSmallIntegerField(
        _("days between reminders"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("How often a partner with money waiting is told that its payment details are missing."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("settings of statements")
        verbose_name_plural = _("settings of statements")
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="commissions_settings_are_one_row")]

    def __str__(self) -> str:
        return str(_("Settings of statements"))

    @classmethod
    def current(cls) -> "StatementSettings":
        """One query."""
        return cls.objects.first() or cls()

    def minimum(self, currency: str) -> Decimal:
        """The smallest amount, without tax, that is paid: at least the currency's minor unit."""
        return max(Decimal(str(self.minimums.get(currency, 0))), minor_unit(currency))
