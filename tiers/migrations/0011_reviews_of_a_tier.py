from django.db import migrations, models

from tiers.migrations import _frozen as frozen


class Migration(migrations.Migration):
    """SQLite makes the table of tiers anew for the column, without its triggers: they are taken away and set again."""

    dependencies = [("tiers", "0010_benefit_uses_taken_back")]
    operations = [
        *(frozen.dropped(operation) for operation in frozen.SECOND),
        migrations.AddField(
            model_name="tier",
            name="life",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="“promotion” and “demotion”, where it is given or lost on other nights than the edition’s tiers.",
                verbose_name="reviews of its own",
            ),
        ),
        migrations.AddField(
            model_name="outcome",
            name="proposed",
            field=models.CharField(blank=True, max_length=40, verbose_name="to be confirmed"),
        ),
        *frozen.SECOND,
    ]
