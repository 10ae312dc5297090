"""Who calls the API, and what they may write."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import User


def signed_in(request: Request) -> User:
    """The user of a request that the default permission has let in."""
    user = request.user
    if not isinstance(user, User):
        raise NotAuthenticated
    return user


class StaffWrites(BasePermission):
    """Anyone signed in reads what is visible to it; staff with the model's permission write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        user = signed_in(request)
        action = {"POST": "add", "PATCH": "change", "PUT": "change", "DELETE": "delete"}[request.method or "POST"]
        meta = view.queryset.model._meta
        return user.is_staff and user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")
