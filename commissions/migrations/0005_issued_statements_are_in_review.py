from datetime import timedelta

from django.db import migrations
from django.db.models import F
from django.utils import timezone

REVIEW_DAYS = 10


def forward(apps, editor):
    """What was issued and not known to be paid waits for its approval, as if it had been issued today."""
    statements = apps.get_model("commissions", "Statement").objects
    statements.update(total=F("amount"))
    statements.filter(state="issued").update(
        state="in_review", issued_at=timezone.now(), review_ends_on=timezone.localdate() + timedelta(days=REVIEW_DAYS)
    )


def backward(apps, editor):
    apps.get_model("commissions", "Statement").objects.exclude(state="draft").update(state="issued")


class Migration(migrations.Migration):
    dependencies = [("commissions", "0004_statement_life")]
    operations = [migrations.RunPython(forward, backward)]
