from django.db import migrations

from tiers.migrations import _frozen as frozen


class Migration(migrations.Migration):
    dependencies = [("tiers", "0001_initial")]
    operations = [*frozen.FIRST]
