import commissions.models.disputes
import common.money
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("commissions", "0006_statement_life_is_held"),
        ("partners", "0002_partner_traits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("amount", "The net amount is wrong"),
                            ("rate", "The rate or the tier is wrong"),
                            ("missing", "Something is missing"),
                            ("not_ours", "This sale is not ours"),
                            ("reversal", "It was taken back wrongly"),
                            ("other", "Something else"),
                        ],
                        max_length=10,
                        verbose_name="what is wrong",
                    ),
                ),
                ("expected", common.money.AmountField(blank=True, null=True, verbose_name="expected amount")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for an answer"),
                            ("accepted", "Accepted"),
                            ("partly", "Accepted in part"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                (
                    "due_on",
                    models.DateField(
                        help_text="The last day on which staff should answer.", verbose_name="answer due on"
                    ),
                ),
                ("escalated_on", models.DateField(blank=True, null=True, verbose_name="overdue since")),
                ("amount", common.money.AmountField(blank=True, null=True, verbose_name="granted")),
                ("answer", models.TextField(blank=True, max_length=4000, verbose_name="answer")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered")),
                (
                    "adjustment",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="granted_by",
                        to="commissions.earning",
                        verbose_name="adjustment",
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "earning",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="commissions.earning",
                        verbose_name="line",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="opened by",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="partners.partner",
                        verbose_name="partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="DisputeMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("by_staff", models.BooleanField(default=False, verbose_name="by staff")),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                (
                    "document",
                    models.FileField(
                        blank=True, upload_to=commissions.models.disputes.document_path, verbose_name="document"
                    ),
                ),
                ("document_name", models.CharField(blank=True, max_length=200, verbose_name="name of the document")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="commissions.dispute"
                    ),
                ),
            ],
            options={
                "verbose_name": "message about a dispute",
                "verbose_name_plural": "messages about a dispute",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dispute",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hold", to="commissions.dispute"
                    ),
                ),
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hold", to="commissions.statementline"
                    ),
                ),
                (
                    "released_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="commissions.statement",
                        verbose_name="released to",
                    ),
                ),
            ],
            options={
                "verbose_name": "held line",
                "verbose_name_plural": "held lines",
            },
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["state", "due_on"], name="commissions_dispute_by_state"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["partner", "-id"], name="commissions_dispute_of_partner"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("earning",), name="commissions_one_open_dispute_per_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__isnull", False), ("state__in", ["accepted", "partly"])),
                    models.Q(("amount__isnull", True), ("state__in", ["open", "refused", "withdrawn"])),
                    _connector="OR",
                ),
                name="commissions_an_accepted_dispute_grants",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="commissions_a_dispute_grants_something"
            ),
        ),
    ]
