from django.db import migrations

from common import triggers


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [triggers.append_only("journal_entry")]
