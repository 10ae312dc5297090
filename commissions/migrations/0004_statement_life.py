import commissions.models.settings
from commissions.migrations import _statements
import common.money
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("commissions", "0003_history_is_frozen"),
        ("partners", "0002_partner_traits"),
        ("tiers", "0011_reviews_of_a_tier"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *_statements.without(_statements.ISSUED_FIRST),
        migrations.CreateModel(
            name="StatementSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("only", models.BooleanField(default=True, editable=False, unique=True)),
                (
                    "review_days",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="How long a partner may question the lines of a statement that was issued.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="days of review",
                    ),
                ),
                (
                    "approval",
                    models.CharField(
                        choices=[("by_hand", "by staff"), ("by_itself", "at the end of the review")],
                        default="by_hand",
                        help_text="Staff can approve at any time; without it, nothing is paid.",
                        max_length=10,
                        verbose_name="statements are approved",
                    ),
                ),
                (
                    "minimums",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="By currency. What is below is carried over to the next statement.",
                        validators=[commissions.models.settings.minimums_are_amounts],
                        verbose_name="smallest payment",
                    ),
                ),
                (
                    "answer_days",
                    models.PositiveSmallIntegerField(
                        default=5,
                        help_text="How long staff have to answer a line that a partner questions.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="days to answer",
                    ),
                ),
                (
                    "close_days",
                    models.PositiveSmallIntegerField(
                        default=5,
                        help_text="How many days after a month its statements are issued. Partners read it as a date; staff do it.",
                        validators=[django.core.validators.MaxValueValidator(60)],
                        verbose_name="days to close a month",
                    ),
                ),
                (
                    "reminder_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        help_text="How often a partner with money waiting is told that its payment details are missing.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ],
                        verbose_name="days between reminders",
                    ),
                ),
            ],
            options={
                "verbose_name": "settings of statements",
                "verbose_name_plural": "settings of statements",
            },
        ),
        migrations.AddField(
            model_name="statement",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="approved at"),
        ),
        migrations.AddField(
            model_name="statement",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty where the end of the review approved it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approved by",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="carried_to",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="carried_from",
                to="commissions.statement",
                verbose_name="carried to",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="held",
            field=common.money.AmountField(
                default=0, help_text="Lines questioned and not answered when it was approved.", verbose_name="held"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="issued_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="issued at"),
        ),
        migrations.AddField(
            model_name="statement",
            name="opening",
            field=common.money.AmountField(
                default=0, help_text="Carried over from statements before.", verbose_name="opening balance"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="paid_on",
            field=models.DateField(blank=True, null=True, verbose_name="paid on"),
        ),
        migrations.AddField(
            model_name="statement",
            name="payment_reference",
            field=models.CharField(blank=True, default="", max_length=140, verbose_name="payment reference"),
        ),
        migrations.AddField(
            model_name="statement",
            name="reason",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Why it is blocked, failed, cancelled or carried.",
                max_length=500,
                verbose_name="reason",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="released",
            field=common.money.AmountField(
                default=0, help_text="Lines held on earlier statements, answered since.", verbose_name="released"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="review_ends_on",
            field=models.DateField(
                blank=True,
                help_text="The first day on which lines can no longer be questioned.",
                null=True,
                verbose_name="review ends on",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="tax",
            field=common.money.AmountField(default=0, verbose_name="tax"),
        ),
        migrations.AddField(
            model_name="statement",
            name="tax_mention",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="tax mention"),
        ),
        migrations.AddField(
            model_name="statement",
            name="tax_rate",
            field=models.DecimalField(decimal_places=6, default=0, max_digits=7, verbose_name="tax rate"),
        ),
        migrations.AddField(
            model_name="statement",
            name="total",
            field=common.money.AmountField(default=0, verbose_name="total"),
        ),
        migrations.AlterField(
            model_name="statement",
            name="amount",
            field=common.money.AmountField(default=0, help_text="The sum of its lines.", verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="statement",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("approved", "Approved"),
                    ("scheduled", "Payment scheduled"),
                    ("paid", "Paid"),
                    ("blocked", "Blocked"),
                    ("failed", "Payment failed"),
                    ("cancelled", "Cancelled"),
                    ("carried", "Carried over"),
                ],
                default="draft",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="statement",
            index=models.Index(fields=["state", "review_ends_on"], name="commissions_statement_by_state"),
        ),
        migrations.AddIndex(
            model_name="statement",
            index=models.Index(
                condition=models.Q(("carried_to__isnull", True), ("state__in", ["carried", "cancelled"])),
                fields=["partner"],
                name="commissions_statement_loose",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("only", True)), name="commissions_settings_are_one_row"
            ),
        ),
    ]
