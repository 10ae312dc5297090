"""Staff's pages of what partners used of their benefits: record a use, take one back."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import StaffAdmin, StaffForm, ask, by_month, change_url
from common.periods import program_today
from partners.models import Partner
from tiers import entitlements, quantities, services
from tiers.entitlements import Entitlement
from tiers.models import Benefit, BenefitUse, Enrollment


class UseForm(StaffForm):
    """A use of one of the benefits that the partner holds today, with what is left of each."""

    benefit = forms.ChoiceField(label=_("Benefit"))
    on = forms.DateField(label=_("Used on"), initial=program_today)
    quantity = forms.DecimalField(
        label=_("How much"), initial=1, max_digits=18, decimal_places=4,
        help_text=_("Money in the program’s currency."),
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Enrollment.objects.filter(partner=partner).in_force_on(program_today()).select_related("program")
        held = entitlements.entitlements_of(own, on=program_today())
        self.held = {f"{pk}:{one.code}": one for pk, each in held.items() for one in each}
        field = cast(forms.ChoiceField, self.fields["benefit"])
        counted_first = sorted(self.held.items(), key=lambda item: item[1].quantity is None)
        field.choices = [(key, _choice(one)) for key, one in counted_first]

    def use(self) -> dict[str, Any]:
        """What the service takes."""
        values = dict(self.cleaned_data)
        one = self.held[values.pop("benefit")]
        return {**values, "enrollment": one.enrollment, "code": one.code}


def _choice(one: Entitlement) -> str:
    left = quantities.left(one)
    return f"{one.benefit} ({left})" if left else str(one.benefit)


class RecordForm(forms.ModelForm):
    class Meta:
        model = BenefitUse
        fields = ("enrollment", "benefit", "used_on", "quantity", "note")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        enrollment, benefit = cleaned.get("enrollment"), cleaned.get("benefit")
        if enrollment and benefit and benefit.program_id != enrollment.program_id:
            self.add_error("benefit", _("It is of another program."))
        return cleaned


class BackForm(StaffForm):
    note = forms.CharField(label=_("Why"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(BenefitUse)
class BenefitUseAdmin(StaffAdmin):
    """What was used is never changed: a use that did not come about is taken back."""

    form = RecordForm
    list_display = ("show_partner", "benefit", "used_on", "show_quantity", "note", "author")
    list_select_related = ("enrollment__partner", "enrollment__program", "benefit", "author")
    list_filter = ("benefit__program", "benefit__kind", by_month("used_on"))
    search_fields = ("enrollment__partner__name", "benefit__code", "note", "external_id")
    autocomplete_fields = ("enrollment",)
    linked_by = ("enrollment__partner__id__exact",)
    actions_detail = ("take_back",)

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: BenefitUse) -> str:
        return obj.enrollment.partner.name

    @display(description=_("how much"), ordering="quantity")
    def show_quantity(self, obj: BenefitUse) -> str:
        return quantities.of_use(obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return RecordForm.Meta.fields
        return ("show_partner", "benefit", "used_on", "show_quantity", "note", "takes_back", "external_id", "author")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "benefit":
            kwargs["queryset"] = Benefit.objects.select_related("program")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "benefit" and field is not None:
            field.label_from_instance = lambda one: f"{one} · {one.program}"
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"used_on": program_today(), "quantity": 1, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: BenefitUse, form: Any, change: Any) -> None:
        used = services.use_benefit(
            enrollment=obj.enrollment, code=obj.benefit.code, on=obj.used_on, quantity=obj.quantity, note=obj.note,
            actor=request.user,  # type: ignore[arg-type]  # staff are signed in
        )  # fmt: skip
        obj.pk = used.pk

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_take_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_benefituse")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Taking back is offered for a use that stands."""
        stands = BenefitUse.objects.filter(pk=object_id, takes_back=None, taken_back_by=None).exists()
        return super().get_actions_detail(request, object_id) if stands else []

    @action(description=_("Take it back"), icon="undo", permissions=["take_back"])
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        use = get_object_or_404(BenefitUse.objects.select_related(*self.list_select_related), pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.take_back_use(use=use, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The use of “%(benefit)s” is taken back.") % {"benefit": use.benefit}

        return ask(
            self, request, title=gettext("Take back the use of “%(benefit)s”") % {"benefit": use.benefit}, do=do,
            submit=gettext("Take it back"), form=BackForm(request.POST or None), back=change_url(use),
            says=gettext("The partner can use as much of it again in the same period."),
        )  # fmt: skip
