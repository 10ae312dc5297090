"""The facts this app offers to tier measures: who works for a partner on a day, and what they are certified in.

Both are stocks. "80% of the active sales people are certified" is the count of `members` with job sales and certified,
over the count of `members` with job sales. "Three sales people certified in configurator" is the distinct count of
`member` in `certificates` with that certification.
"""

from datetime import date

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from partners.models import Member, MemberQuerySet
from tiers.datasets import Dataset, Field, register
from training.models import Certificate, CertificateQuerySet


def members_on(day: date) -> MemberQuerySet:
    """Everyone who belongs to a partner on `day`; `certified` is true with a certificate valid that day."""
    valid = Certificate.objects.valid_on(day).filter(member=OuterRef("pk"))
    return Member.objects.on(day).annotate(certified=Exists(valid))


def certificates_on(day: date) -> CertificateQuerySet:
    """Certificates valid on `day`, of people who belong to their partner that day."""
    return Certificate.objects.valid_on(day).filter(member__in=Member.objects.on(day))


register(
    Dataset(
        key="members",
        label=_("People"),
        rows=members_on,
        partner="partner_id",
        dated=None,
        fields={
            "name": Field("name", _("Name"), "text"),
            "job": Field("job", _("Job"), "text", choices=Member.Job.choices),
            "role": Field("role", _("Portal role"), "text", choices=Member.Role.choices),
            "certified": Field("certified", _("Certified"), "yes_no"),
            "joined_on": Field("joined_on", _("Joined on"), "day"),
        },
    )
)

register(
    Dataset(
        key="certificates",
        label=_("Certificates"),
        rows=certificates_on,
        partner="member__partner_id",
        dated=None,
        fields={
            "name": Field("member__name", _("Name"), "text"),
            "certification": Field("certification__code", _("Certification"), "text"),
            "member": Field("member_id", _("Person"), "number"),
            "job": Field("member__job", _("Job"), "text", choices=Member.Job.choices),
            "awarded_on": Field("awarded_on", _("Awarded on"), "day"),
            "expires_on": Field("expires_on", _("Expires on"), "day"),
        },
    )
)
