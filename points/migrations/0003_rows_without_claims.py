from importlib import import_module

from django.db import migrations, models

from common import triggers

frozen = import_module("points.migrations.0002_granted_is_frozen")
TRIGGER = triggers.refuse(
    "points_pointrule",
    ("UPDATE",),
    f"({frozen.REWRITES}) AND {frozen.GRANTED}",
    "a point rule that granted points keeps its values: give it an end and add another row",
    "points_pointrule_frozen",
)


class Migration(migrations.Migration):
    dependencies = [("points", "0002_granted_is_frozen")]
    operations = [
        TRIGGER.turned(),
        migrations.AddField(
            model_name="pointrule",
            name="takes_claims",
            field=models.BooleanField(default=True, verbose_name="claims allowed"),
        ),
        TRIGGER,
    ]
