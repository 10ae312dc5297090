"""Files of the bank that were read back."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class BankFile(models.Model):
    """A file of the bank, taken once (its SHA-256 is unique) and wholly. Never changed (a trigger holds it).

    `report` lists what was done for each notice: {"matched": [...], "known": [...], "under_way": [...], "unmatched": [...]},
    each row {"id", "amount", "currency", "outcome", "reason", "item"}.
    """

    class Kind(models.TextChoices):
        PAIN_002 = "pain.002", _("Status of an order (pain.002)")
        CAMT_054 = "camt.054", _("Bookings (camt.054)")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    message_id = models.CharField(_("the bank’s message"), max_length=70)
    sealed = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("read by")
    )
    taken_at = models.DateTimeField(_("read"))
    report = models.JSONField(_("report"))

    class Meta:
        verbose_name = _("file of the bank")
        verbose_name_plural = _("files of the bank")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
