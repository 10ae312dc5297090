"""The admin's pages that mix apps, and the admins of installed packages in this site's theme."""

from typing import Any

from axes.admin import AccessAttemptAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from knox.admin import AuthTokenAdmin
from knox.models import AuthToken
from unfold.admin import ModelAdmin

from partner_program import nights_admin, partner_admin  # noqa: F401  # register

# Their forms are drawn for Django's own theme: on this one their inputs would be invisible.
for foreign in (AccessAttempt, AccessFailureLog, AccessLog, AuthToken):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


@admin.register(AccessAttempt)
class FailedSignInAdmin(AccessAttemptAdmin, ModelAdmin):
    """Deleting one lets a locked-out person try again."""

    list_display = ("attempt_time", "username", "ip_address", "path_info", "failures_since_start")
    list_filter = ()
    actions = ("delete_selected",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuthToken)
class TokenAdmin(AuthTokenAdmin, ModelAdmin):
    list_display = ("user", "token_key", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("token_key", "user__email")
    autocomplete_fields = ("user",)
    raw_id_fields = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
