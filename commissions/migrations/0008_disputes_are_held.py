from django.db import migrations

from commissions.migrations import _statements


class Migration(migrations.Migration):
    dependencies = [("commissions", "0007_disputes")]
    operations = _statements.DISPUTES
