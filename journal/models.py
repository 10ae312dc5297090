from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class EntryQuerySet(models.QuerySet["Entry"]):
    def about_partner(self, partner_id: int) -> "EntryQuerySet":
        return self.filter(partner_id=partner_id)


class Entry(models.Model):
    """Something happened. Appended by `journal.services.record`, never changed or deleted (a trigger holds it).

    `verb` is dotted, subject first: "partners.partner.created", "leads.lead.accepted", "tiers.placement.changed".
    `subject` names the row as "leads.lead:12". `partner_id` is the partner it concerns, if any: a number without a
    foreign key, since the journal stands below the partners.
    """

    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("who"),
        help_text=_("Empty when the program itself acted."),
    )
    verb = models.CharField(_("what"), max_length=80)
    subject = models.CharField(_("about"), max_length=120)
    partner_id = models.BigIntegerField(_("partner"), null=True, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["partner_id", "-id"], name="journal_by_partner"),
            models.Index(fields=["subject", "-id"], name="journal_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.subject}"
