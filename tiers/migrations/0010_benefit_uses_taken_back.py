import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0009_dry_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="benefituse",
            name="takes_back",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="taken_back_by",
                to="tiers.benefituse",
                verbose_name="takes back",
            ),
        ),
        migrations.AddConstraint(
            model_name="benefituse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quantity__gt", 0), ("takes_back__isnull", True)),
                    models.Q(("quantity__lt", 0), ("takes_back__isnull", False)),
                    _connector="OR",
                ),
                name="tiers_benefit_use_is_above_zero_or_takes_one_back",
            ),
        ),
    ]
