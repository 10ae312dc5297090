"""Certificates from files, as a learning system exports them."""

from typing import Any, ClassVar

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.periods import add_months
from imports import kinds
from imports.engine import Importer, Row
from imports.fields import BadValueError, Field, Reading, day, key, text
from imports.upsert import upsert
from journal import services as journal
from partners.imports import count
from partners.models import Member
from training.models import Certificate, Certification

_code = text(Certification, "code")


def certification_code(cell: str, reading: Reading) -> str:
    """Codes are small letters, digits and hyphens: "SALES 101" and "sales-101" are one certification."""
    code = slugify(cell)
    if not code:
        raise BadValueError(_("is not a code: small letters, digits and hyphens"))
    return _code(code, reading)


class CertificateImporter(Importer):
    """A certification that is not known yet is created, under its code, and told.

    Where the file does not map `expires_on`, a certification's own validity gives it.
    """

    kind: ClassVar[str] = "certificates"
    label: ClassVar[Any] = gettext_lazy("Certificates")
    position: ClassVar[int] = 50
    model: ClassVar[type[Certificate]] = Certificate
    fields: ClassVar[tuple[Field, ...]] = (
        Field("external_id", gettext_lazy("Its key in the system it comes from."), text(Certificate, "external_id"), required=True),
        Field("member", gettext_lazy("External id of the person."), key, required=True),
        Field("certification", gettext_lazy("Code of the certification."), certification_code, required=True),
        Field("awarded_on", gettext_lazy("Day of the award."), day, required=True),
        Field("expires_on", gettext_lazy("First day without it; empty: without end."), day, empty=None),
    )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        wanted = {row.values["member"] for row in rows}
        members = dict(Member.objects.filter(external_id__in=wanted).values_list("external_id", "pk"))
        for row in rows:
            row.values["member_id"] = members.get(row.values.pop("member"))
            expires_on = row.values.get("expires_on")
            if row.values["member_id"] is None:
                self.refuse(row, "member", _("there is no person with this external id"))
            elif expires_on is not None and expires_on <= row.values["awarded_on"]:
                self.refuse(row, "expires_on", _("is not after the day of the award"))

    def save(self, rows: list[Row]) -> None:
        certifications = self._certifications({row.values["certification"] for row in rows})
        for row in rows:
            certification = certifications[row.values.pop("certification")]
            row.values["certification_id"] = certification.pk
            if "expires_on" not in self.mapped:
                months = certification.valid_months
                row.values["expires_on"] = add_months(row.values["awarded_on"], months) if months else None
        outcome = upsert([row.values for row in rows], into=Certificate.objects.all())
        count(self, outcome)
        self._tell_changes(outcome.changed.values())

    def _tell_changes(self, changes: Any) -> None:
        changes = list(changes)
        partners = dict(
            Member.objects.filter(pk__in=[change.row.member_id for change in changes]).values_list("pk", "partner_id")
        )
        journal.record_many(
            journal.entry(
                verb="training.certificate.changed", subject=change.row, actor=self.actor,
                partner_id=partners[change.row.member_id], before=change.before, after=change.after,
            )
            for change in changes
        )  # fmt: skip

    def _certifications(self, codes: set[str]) -> dict[str, Certification]:
        missing = codes - set(self.known)
        found = {one.code: one for one in Certification.objects.filter(code__in=missing)}
        for code in sorted(missing - set(found)):
            found[code] = Certification.objects.create(code=code, name=dict.fromkeys(("en", "fr"), code))
            journal.record(
                verb="training.certification.created", subject=found[code], actor=self.actor, after={"code": code}
            )
            self.report.notice(_("The certification “%(code)s” was not known, and was created.") % {"code": code})
        self.known.update(found)
        return self.known


def register() -> None:
    kinds.register(CertificateImporter)
