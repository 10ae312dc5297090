from django.db import migrations

from common import triggers


class Migration(migrations.Migration):
    dependencies = [("rates", "0001_initial")]
    operations = [triggers.append_only("rates_rate")]
