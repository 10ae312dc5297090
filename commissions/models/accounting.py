"""Where the bookkeeping has commissions."""

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from tiers.models import Program


class AccountCodes(models.Model):
    """The accounts that the export of the ledger names: of one program, or of all that have none of their own."""

    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("program"),
        help_text=_("Empty: for every program without accounts of its own."),
    )  # fmt: skip
    expense = models.CharField(_("expense account"), max_length=20, help_text=_("What commissions cost: 622200."))
    liability = models.CharField(
        _("liability account"), max_length=20, help_text=_("What is owed to partners: 408000.")
    )

    class Meta:
        verbose_name = _("accounts")
        verbose_name_plural = _("accounts")
        ordering = [models.F("program").asc(nulls_first=True)]
        constraints = [
            models.UniqueConstraint(Coalesce("program", 0), name="commissions_one_set_of_accounts_a_program")
        ]

    def __str__(self) -> str:
        return f"{self.program or '*'}: {self.expense} / {self.liability}"
