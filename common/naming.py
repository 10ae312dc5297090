"""What people read as the name of a field whose model gives it none."""

from collections.abc import Iterable

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

BY_NAME = {
    "answered_by": _("answered by"),
    "author": _("author"),
    "changed_at": _("last changed"),
    "created_at": _("created"),
    "created_by": _("created by"),
    "decided_by": _("decided by"),
    "drafted_by": _("drafted by"),
    "offered_by": _("offered by"),
    "parent": _("part of"),
    "registered_by": _("registered by"),
}


def name_fields(found: Iterable[type[models.Model]]) -> None:
    """A foreign key is called what the model it leads to is called, in every language; the others are named here.

    Names given by a model stand. Migrations see none of it. Repeating changes nothing.
    """
    for model in found:
        for field in model._meta.concrete_fields:
            if isinstance(field.verbose_name, Promise):
                continue
            if name := BY_NAME.get(field.name):
                field.verbose_name = name
            elif field.related_model is not None and isinstance(field.related_model._meta.verbose_name, Promise):
                field.verbose_name = field.related_model._meta.verbose_name
