"""What a month's close asks about invoicing."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commissions.closing import SHOWN, Check, Found, Row, register_check
from commissions.models import Statement
from common.periods import Period, program_today
from invoices import selectors
from invoices.rules import Missing
from partners.models import Partner


def without_tax(month: Period) -> Found | None:
    """Partners with money on the month's drafts whose legal details do not say how they are taxed; None where the vendor's
    own are not kept, so that nobody is invoiced here. Four queries."""
    today = program_today()
    vendor = selectors.vendor_identity(today)
    if vendor is None:
        return None
    drafts = Statement.objects.filter(state=Statement.State.DRAFT, total__gt=0, starts_on__lt=month.ends_on)
    to_pay = set(drafts.order_by().values_list("partner_id", flat=True).distinct())
    told = {
        partner_id
        for partner_id, identity in selectors.identities(to_pay, today).items()
        if not isinstance(selectors.terms_between(identity, vendor, today), Missing)
    }
    lacking = to_pay - told
    partners = Partner.objects.filter(pk__in=lacking).order_by("name", "pk")
    rows = [Row(str(one.name), reverse("admin:partners_partner_change", args=[one.pk])) for one in partners[:SHOWN]]
    return Found(len(lacking), rows, reverse("admin:invoices_partneridentity_changelist"))


def register() -> None:
    register_check(Check("tax", _("Every partner with money has the legal details that say its tax"), without_tax))
