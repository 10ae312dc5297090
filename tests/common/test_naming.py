"""Fields that their models do not name are still named in every language, and no migration sees it."""

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import capfirst

from commissions.models import Statement, Terms
from leads.models import Deal
from tiers.models import Run

SHOWN_TO_NOBODY = {
    "commissions.StatementSettings.only",
    "commissions.Terms.digest",
    "commissions.Terms.document",
    "commissions.TrialChunk.done_at",
    "commissions.TrialChunk.facts",
    "commissions.TrialChunk.first",
    "commissions.TrialChunk.last",
    "commissions.TrialChunk.nothing",
    "commissions.Unsettled.since",
    "invoices.Invoice.sha256",
    "invoices.InvoiceFile.pdf",
    "invoices.InvoiceSettings.only",
    "invoices.UploadedInvoice.sha256",
    "notifications.Endpoint.salt",
    "notifications.Reader.horizon",
    "notifications.Reader.position",
    "notifications.Reader.waits_for",
    "payouts.BankFile.sealed",
    "payouts.BankFile.sha256",
    "payouts.PayeeAccount.bic",
    "payouts.PayeeAccount.fingerprint",
    "payouts.PayeeAccount.sealed",
    "payouts.PayerAccount.bic",
    "payouts.PayoutFile.sealed",
    "payouts.PayoutFile.sha256",
    "tiers.Bound.ends_on",
    "tiers.Bound.enrolled_on",
    "tiers.Bound.months",
    "tiers.Bound.starts_on",
    "tiers.DryRun.carried",
    "tiers.Measured.member",
    "tiers.Measured.over",
    "tiers.Measured.value",
    "tiers.Run.carried",
}


@pytest.mark.parametrize(
    ("model", "field", "english", "french"),
    [
        (Terms, "tier", "Tier", "Palier"),
        (Statement, "drafted_by", "Drafted by", "Préparé par"),
        (Run, "program", "Program", "Programme"),
        (Deal, "decided_by", "Decided by", "Décidé par"),
    ],
)
def test_names_in_both_languages(model: Any, field: str, english: str, french: str) -> None:
    name = model._meta.get_field(field).verbose_name
    with translation.override("en"):
        assert str(capfirst(name)) == english
    with translation.override("fr"):
        assert str(capfirst(name)) == french


def test_every_field_is_named() -> None:
    unnamed = {
        f"{model._meta.label}.{field.name}"
        for app in apps.get_app_configs()
        if app.path == str(settings.BASE_DIR / app.label)
        for model in app.get_models()
        for field in model._meta.concrete_fields
        if not isinstance(field.verbose_name, Promise) and not field.primary_key and not field.is_relation
    }
    assert unnamed == SHOWN_TO_NOBODY


@pytest.mark.django_db
def test_migrations_see_none_of_it() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
