"""What happened before there were notifications is told to nobody."""

from django.db import migrations
from django.db.models import Max


def start_here(apps, editor):
    newest = apps.get_model("journal", "Entry").objects.aggregate(newest=Max("pk"))["newest"] or 0
    for name in ("people", "webhooks"):
        apps.get_model("notifications", "Reader").objects.update_or_create(
            name=name, defaults={"position": newest, "horizon": newest, "waits_for": []}
        )


class Migration(migrations.Migration):
    dependencies = [("journal", "0002_append_only"), ("notifications", "0001_initial")]

    operations = [migrations.RunPython(start_here, migrations.RunPython.noop)]
