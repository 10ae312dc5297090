from uuid import uuid4

from django.db import migrations, models

from tiers.migrations import _frozen as frozen


def name_each(apps, editor):
    editions = apps.get_model("tiers", "Edition")
    for pk in editions.objects.exclude(state="draft").values_list("pk", flat=True):
        editions.objects.filter(pk=pk).update(published_as=uuid4())


class Migration(migrations.Migration):
    """Each published edition gets what it is published as; from then on the trigger keeps it."""

    dependencies = [("tiers", "0011_reviews_of_a_tier")]
    operations = [
        *(frozen.dropped(operation) for operation in frozen.SECOND),
        migrations.AddField(
            model_name="edition",
            name="published_as",
            field=models.UUIDField(editable=False, null=True, verbose_name="published as"),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "draft"), _negated=True), ("published_as__isnull", True), _connector="OR"
                ),
                name="tiers_a_draft_is_published_as_nothing",
            ),
        ),
        migrations.RunPython(name_each, migrations.RunPython.noop),
        *frozen.THIRD,
    ]
