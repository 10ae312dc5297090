from django.db import migrations

from tiers.migrations import _frozen as frozen


class Migration(migrations.Migration):
    dependencies = [("tiers", "0007_rules_into_documents")]
    operations = [
        migrations.DeleteModel(
            name="Rule",
        ),
        migrations.RemoveConstraint(
            model_name="measure",
            name="tiers_measure_is_a_ratio_or_reads_a_dataset",
        ),
        migrations.RemoveField(
            model_name="edition",
            name="review",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="aggregate",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="dataset",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="denominator",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="field",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="filters",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="numerator",
        ),
        migrations.RemoveField(
            model_name="measure",
            name="window",
        ),
        migrations.RemoveField(
            model_name="run",
            name="is_review",
        ),
        *frozen.SECOND,
    ]
