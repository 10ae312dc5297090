"""The field that finds a partner by its name, for the forms of commissions."""

from typing import Any, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.fields import UnfoldAdminAutocompleteModelChoiceField
from unfold.views import BaseAutocompleteView

from common.admin import StaffForm
from partners.models import Partner

ADDRESS = "commissions_plan_partners"


class PartnersView(BaseAutocompleteView):
    """What the field suggests."""

    def get_queryset(self) -> QuerySet[Partner]:
        return Partner.objects.filter(name__icontains=self.request.GET.get("term", "")).order_by("name", "id")


def partners_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("partners.view_partner"):
        raise PermissionDenied
    return PartnersView.as_view()(request)


class PartnerForm(StaffForm):
    """A form about a partner; the one that is chosen stays chosen when the form comes back."""

    partner = UnfoldAdminAutocompleteModelChoiceField(
        f"admin:{ADDRESS}", queryset=Partner.objects.all(), label=_("Partner")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["partner"])
        chosen = str(self.data.get("partner") or self.initial.get("partner") or "")
        rows = Partner.objects.filter(pk=chosen) if chosen.isdigit() else []
        field.widget.choices = [(partner.pk, str(partner)) for partner in rows]
