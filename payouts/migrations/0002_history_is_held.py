from django.db import migrations

from common import triggers


def differs(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns)


LEFT = "('sent', 'settled', 'partly_failed', 'failed')"
BATCH = "EXISTS (SELECT 1 FROM payouts_payoutbatch b WHERE b.id = NEW.batch_id AND b.state {states})"


class Migration(migrations.Migration):
    dependencies = [("payouts", "0001_initial")]
    operations = [
        triggers.refuse(
            "payouts_payeeaccount",
            ("UPDATE",),
            differs(
                "partner_id",
                "currency",
                "version",
                "rail",
                "holder",
                "country",
                "bank_name",
                "routing",
                "bic",
                "mask",
                "fingerprint",
                "asked_by_id",
                "asked_at",
            ),
            "a payee account is never edited: a change is a new version",
            "payouts_account_frozen",
        ),
        triggers.refuse(
            "payouts_payeeaccount",
            ("UPDATE",),
            "(OLD.state IN ('replaced', 'refused', 'withdrawn') AND NEW.state <> OLD.state)"
            " OR (OLD.state = 'in_force' AND NEW.state NOT IN ('in_force', 'replaced'))"
            " OR (OLD.state = 'waiting' AND NEW.state = 'replaced')",
            "a payee account goes from waiting to in force to replaced",
            "payouts_account_moves",
        ),
        triggers.refuse(
            "payouts_payeeaccount", ("DELETE",), "1 = 1", "payee accounts are kept", "payouts_account_kept"
        ),
        triggers.refuse(
            "payouts_payoutbatch",
            ("INSERT",),
            "NEW.state <> 'draft'",
            "a batch begins as a draft",
            "payouts_batch_begins",
        ),
        triggers.refuse(
            "payouts_payoutbatch",
            ("UPDATE",),
            "(OLD.state = 'draft' AND NEW.state NOT IN ('draft', 'approved', 'cancelled'))"
            " OR (OLD.state = 'approved' AND NEW.state NOT IN ('approved', 'sent', 'cancelled'))"
            " OR (OLD.state = 'cancelled' AND NEW.state <> 'cancelled')"
            f" OR (OLD.state IN {LEFT} AND NEW.state NOT IN {LEFT})",
            "a batch goes from draft to approved to sent, and does not come back",
            "payouts_batch_moves",
        ),
        triggers.refuse(
            "payouts_payoutbatch",
            ("UPDATE",),
            f"OLD.state <> 'draft' AND ({differs('payer_id', 'rail', 'currency', 'execute_on', 'count', 'total', 'built_by_id')})",
            "an approved batch is never changed",
            "payouts_batch_frozen",
        ),
        triggers.refuse("payouts_payoutbatch", ("DELETE",), "1 = 1", "batches are kept", "payouts_batch_kept"),
        triggers.refuse(
            "payouts_payoutitem",
            ("INSERT",),
            "NEW.state <> 'under_way' OR " + BATCH.format(states="<> 'draft'"),
            "payments are added to drafts only",
            "payouts_item_begins",
        ),
        triggers.refuse(
            "payouts_payoutitem",
            ("UPDATE",),
            differs(
                "batch_id",
                "statement_id",
                "partner_id",
                "account_id",
                "attempt",
                "amount",
                "currency",
                "end_to_end_id",
                "remittance",
            ),
            "what a payment pays is never changed",
            "payouts_item_frozen",
        ),
        triggers.refuse(
            "payouts_payoutitem",
            ("UPDATE",),
            "(OLD.state IN ('failed', 'returned', 'cancelled') AND NEW.state <> OLD.state)"
            " OR (OLD.state = 'paid' AND NEW.state NOT IN ('paid', 'returned'))"
            " OR (OLD.state = 'under_way' AND NEW.state = 'cancelled' AND " + BATCH.format(states=f"IN {LEFT}") + ")"
            " OR (OLD.state = 'under_way' AND NEW.state IN ('paid', 'failed', 'returned') AND "
            + BATCH.format(states=f"NOT IN {LEFT}")
            + ")",
            "a payment goes from open to paid, failed or cancelled, and from paid to returned",
            "payouts_item_moves",
        ),
        triggers.refuse("payouts_payoutitem", ("DELETE",), "1 = 1", "payments are kept", "payouts_item_kept"),
        triggers.refuse(
            "payouts_payoutfile",
            ("UPDATE",),
            differs("batch_id", "name", "sha256", "size", "made_at"),
            "the file of a batch is made once",
            "payouts_file_frozen",
        ),
        triggers.refuse(
            "payouts_payoutfile", ("DELETE",), "1 = 1", "the files of batches are kept", "payouts_file_kept"
        ),
        triggers.refuse(
            "payouts_bankfile",
            ("UPDATE",),
            differs("kind", "message_id", "sha256", "taken_by_id", "taken_at"),
            "a file of the bank is never changed",
            "payouts_bankfile_frozen",
        ),
        triggers.refuse(
            "payouts_bankfile", ("DELETE",), "1 = 1", "the files of the bank are kept", "payouts_bankfile_kept"
        ),
    ]
