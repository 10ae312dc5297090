from django.db import migrations

from common import triggers

SAME_MANDATE = " AND ".join(
    f"OLD.{column} = NEW.{column}"
    for column in ("id", "partner_id", "text_id", "language", "starts_on", "accepted_at", "accepted_by_id")
)
IDENTITY = (
    "partner_id", "name", "street", "street2", "postal_code", "city", "country", "registration_number",
    "establishment_number", "vat_number", "legal_line", "tax_status", "exemption", "exemption_code", "language", "recorded_at",
)  # fmt: skip
SAME_IDENTITY = " AND ".join(f"OLD.{column} = NEW.{column}" for column in IDENTITY)
UPLOAD = ("partner_id", "statement_id", "number", "issued_on", "net", "tax", "gross", "currency", "document", "sha256")
SAME_UPLOAD = " AND ".join(f"OLD.{column} = NEW.{column}" for column in UPLOAD)


def with_decision(table: str, same: str) -> list[migrations.RunPython]:
    """Rows that are written once and decided once."""
    return [
        triggers.refuse(
            table, ("UPDATE",), f"NOT (OLD.state = 'submitted' AND {same})",
            "what was sent is not changed, and decided once", f"{table}_decided_once",
        ),
        triggers.refuse(table, ("DELETE",), "1 = 1", f"{table} only grows", f"{table}_kept"),
    ]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]
    operations = [
        triggers.append_only("invoices_invoice"),
        triggers.append_only("invoices_invoicefile"),
        triggers.append_only("invoices_mandatetext"),
        triggers.append_only("invoices_vendoridentity"),
        triggers.refuse(
            "invoices_series", ("UPDATE",),
            "NOT (NEW.last = OLD.last + 1 AND NEW.partner_id = OLD.partner_id AND NEW.kind = OLD.kind AND NEW.year = OLD.year)",
            "a series counts by one", "invoices_series_counts_by_one",
        ),
        triggers.refuse("invoices_series", ("INSERT",), "NEW.last <> 0", "a series begins at nothing", "invoices_series_begins"),
        triggers.refuse("invoices_series", ("DELETE",), "1 = 1", "a series is kept", "invoices_series_kept"),
        triggers.refuse(
            "invoices_mandate", ("UPDATE",), f"NOT (OLD.ends_on IS NULL AND {SAME_MANDATE})",
            "a mandate is revoked once, and nothing else of it changes", "invoices_mandate_frozen",
        ),
        triggers.refuse("invoices_mandate", ("DELETE",), "1 = 1", "a mandate is kept", "invoices_mandate_kept"),
        *with_decision("invoices_partneridentity", SAME_IDENTITY),
        *with_decision("invoices_uploadedinvoice", SAME_UPLOAD),
    ]  # fmt: skip
