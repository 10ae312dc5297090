"""Staff's pages of awards: give one, correct one that came from elsewhere, end one."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import StaffAdmin, StaffForm, ask, change_url
from common.periods import program_today
from tiers import awarding
from tiers.models import Award


class AwardForm(forms.ModelForm):
    class Meta:
        model = Award
        fields = ("partner", "code", "grade", "scope", "issuer", "starts_on", "ends_on", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "partner" in self.fields:
            self.fields["partner"].label = _("Partner")
        if "note" in self.fields:
            self.fields["note"].required = self.instance.pk is None or bool(self.instance.note)
            self.fields["note"].help_text = _("Why the partner holds it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", _("It ends after it starts."))
        return cleaned


class EndForm(StaffForm):
    on = forms.DateField(label=_("First day without it"), initial=program_today)
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


@admin.register(Award)
class AwardAdmin(StaffAdmin):
    """What results earned is the night's: it is only shown."""

    form = AwardForm
    list_display = (
        "show_partner",
        "code",
        "grade",
        "scope",
        "issuer",
        "show_origin",
        "starts_on",
        "ends_on",
        "is_made_up",
    )
    list_select_related = ("partner",)
    list_filter = ("origin", "code", ("ends_on", admin.EmptyFieldListFilter), "is_made_up")
    search_fields = ("partner__name", "code", "issuer", "external_id")
    autocomplete_fields = ("partner",)
    readonly_fields = ("origin", "external_id", "show_enrollment", "holds_until", "show_author", "is_made_up")
    actions_detail = ("end",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("show_partner", "code", "grade", "scope", "issuer", "starts_on", "ends_on", "note")}),
        (_("Where it comes from"), {"fields": readonly_fields}),
    )
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("partner", "code", "grade", "scope", "issuer", "starts_on", "ends_on", "note")}),
    )

    @display(description=_("partner"), ordering="partner__name")
    def show_partner(self, obj: Award) -> str:
        return obj.partner.name

    @display(description=_("enrollment"))
    def show_enrollment(self, obj: Award) -> str:
        return str(obj.enrollment or "–")

    @display(description=_("author"))
    def show_author(self, obj: Award) -> str:
        return str(obj.author or "–")

    @display(description=_("origin"), ordering="origin", label={"earned": "success", "granted": "info"})
    def show_origin(self, obj: Award) -> tuple[str, str]:
        return obj.origin, obj.get_origin_display()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("show_partner", *super().get_readonly_fields(request, obj)) if obj else ()

    def save_model(self, request: HttpRequest, obj: Award, form: Any, change: Any) -> None:
        if change:
            awarding.correct_award(award=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in
            return
        values = {
            name: form.cleaned_data[name] for name in ("code", "grade", "scope", "issuer", "starts_on", "ends_on")
        }
        given = {"partner_id": obj.partner_id, **values}
        awarding.give_awards(
            awards=[given], origin=Award.Origin.GRANTED, reason=obj.note, actor=request.user,  # type: ignore[arg-type]
        )  # fmt: skip
        known = {name: given[name] for name in awarding.KEYS[Award.Origin.GRANTED]}
        obj.pk = Award.objects.get(origin=Award.Origin.GRANTED, **known).pk

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.origin == Award.Origin.EARNED:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An award that is held no more gets its end."""
        return False

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_award")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Ending is offered for what people gave and has no end yet."""
        award = self.get_object(request, str(object_id))
        open_ = award is not None and award.origin != Award.Origin.EARNED and award.ends_on is None
        return super().get_actions_detail(request, object_id) if open_ else []

    @action(description=_("End it"), icon="event_busy", permissions=["end"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        award = get_object_or_404(Award, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            awarding.end_award(award=award, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("“%(award)s” ends on %(day)s.") % {"award": award, "day": values["on"]}

        return ask(
            self, request, title=gettext("End “%(award)s”") % {"award": award}, do=do, submit=gettext("End it"),
            form=EndForm(request.POST or None), back=change_url(award),
            says=gettext("From that day on it no longer counts for any rule. What it counted for before stays."),
        )  # fmt: skip
