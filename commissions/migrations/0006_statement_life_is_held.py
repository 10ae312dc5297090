from django.db import migrations, models
from django.db.models import F, Q

from commissions.migrations import _statements


class Migration(migrations.Migration):
    dependencies = [("commissions", "0005_issued_statements_are_in_review")]
    operations = [
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=Q(total=F("opening") + F("amount") + F("released") - F("held") + F("tax")),
                name="commissions_statement_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=Q(state="paid", paid_on__isnull=False) | ~Q(state="paid"),
                name="commissions_paid_statement_has_its_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=Q(carried_to__isnull=True) | Q(state__in=["carried", "cancelled"]),
                name="commissions_only_what_is_over_is_carried",
            ),
        ),
        *_statements.LIFE,
    ]
