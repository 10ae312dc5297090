import common.money
import common.texts
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tiers.migrations import _frozen as frozen


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0002_partner_traits"),
        ("tiers", "0005_measure_aggregates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        *(frozen.dropped(operation) for operation in frozen.FIRST),
        migrations.CreateModel(
            name="Award",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "external_id",
                    models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name="external id"),
                ),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9-]*$", "Small letters, digits and hyphens, starting with a letter."
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("grade", models.CharField(blank=True, max_length=40, verbose_name="grade")),
                (
                    "scope",
                    models.CharField(
                        blank=True,
                        help_text="A country or region, where it is held for one.",
                        max_length=40,
                        verbose_name="scope",
                    ),
                ),
                ("issuer", models.CharField(blank=True, max_length=80, verbose_name="issuer")),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("earned", "Earned by results"),
                            ("granted", "Granted by staff"),
                            ("imported", "Held elsewhere"),
                        ],
                        max_length=10,
                        verbose_name="origin",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="ends on")),
                ("holds_until", models.DateField(blank=True, null=True, verbose_name="held until")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "is_made_up",
                    models.BooleanField(
                        default=False, help_text="Sample data, not a real fact.", verbose_name="made up"
                    ),
                ),
            ],
            options={
                "verbose_name": "award",
                "verbose_name_plural": "awards",
                "ordering": ["-starts_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="BenefitUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("used_on", models.DateField(verbose_name="used on")),
                ("quantity", common.money.AmountField(verbose_name="how much")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "external_id",
                    models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name="external id"),
                ),
            ],
            options={
                "verbose_name": "use of a benefit",
                "verbose_name_plural": "uses of benefits",
                "ordering": ["-used_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Bound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("enrolled_on", models.DateField()),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("months", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Distinction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        help_text="The same from edition to edition.",
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9-]*$", "Small letters, digits and hyphens, starting with a letter."
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("name", common.texts.TextsField(verbose_name="name")),
                ("summary", common.texts.TextsField(blank=True, default=dict, verbose_name="summary")),
                (
                    "color",
                    models.CharField(
                        default="#4f7394",
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("^#[0-9a-f]{6}$")],
                        verbose_name="colour",
                    ),
                ),
                ("holds", models.JSONField(blank=True, default=dict, verbose_name="held at least")),
                ("earn", models.JSONField(blank=True, default=dict, verbose_name="rule to reach it")),
                ("keep", models.JSONField(blank=True, default=dict, verbose_name="rule to keep it")),
            ],
            options={
                "verbose_name": "distinction",
                "verbose_name_plural": "distinctions",
                "ordering": ["edition", "position", "id"],
            },
        ),
        migrations.CreateModel(
            name="Grace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tier_code", models.CharField(max_length=40, verbose_name="tier")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                ("gaps", models.JSONField(default=list, verbose_name="what was missing")),
                ("warned_on", models.DateField(blank=True, null=True, verbose_name="last warned on")),
                ("closed_on", models.DateField(blank=True, null=True, verbose_name="closed on")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("kept", "Kept again"), ("lost", "Lost"), ("lifted", "Lifted by staff")],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
            ],
            options={
                "verbose_name": "grace",
                "verbose_name_plural": "graces",
                "ordering": ["-starts_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tier_code", models.CharField(max_length=40, verbose_name="tier")),
                ("proposed_on", models.DateField(verbose_name="proposed on")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("withdrawn", "No longer qualified"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("note", models.TextField(blank=True, verbose_name="note")),
            ],
            options={
                "verbose_name": "proposal",
                "verbose_name_plural": "proposals",
                "ordering": ["state", "proposed_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="Relief",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                ("reason", models.TextField(verbose_name="reason")),
            ],
            options={
                "verbose_name": "relief",
                "verbose_name_plural": "reliefs",
                "ordering": ["-starts_on", "-id"],
            },
        ),
        migrations.AddField(
            model_name="benefit",
            name="kind",
            field=models.CharField(
                choices=[("access", "Access"), ("support", "Support"), ("quantity", "So many"), ("money", "Money")],
                default="access",
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="edition",
            name="country_groups",
            field=models.JSONField(blank=True, default=dict, verbose_name="country groups"),
        ),
        migrations.AddField(
            model_name="edition",
            name="exchange",
            field=models.JSONField(blank=True, default=dict, verbose_name="exchange table"),
        ),
        migrations.AddField(
            model_name="edition",
            name="life",
            field=models.JSONField(blank=True, default=dict, verbose_name="life of a tier"),
        ),
        migrations.AddField(
            model_name="edition",
            name="notes",
            field=common.texts.TextsField(
                blank=True, default=dict, help_text="What the rules leave open, for staff.", verbose_name="notes"
            ),
        ),
        migrations.AddField(
            model_name="evaluation",
            name="traits",
            field=models.JSONField(default=dict, verbose_name="traits"),
        ),
        migrations.AddField(
            model_name="evaluation",
            name="verdicts",
            field=models.JSONField(default=dict, verbose_name="verdicts"),
        ),
        migrations.AddField(
            model_name="measure",
            name="definition",
            field=models.JSONField(default=dict, verbose_name="definition"),
        ),
        migrations.AddField(
            model_name="measured",
            name="member",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="measured",
            name="over",
            field=models.BigIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="placement",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="holds_until",
            field=models.DateField(
                blank=True,
                help_text="Not lost before this day; the end of a grant.",
                null=True,
                verbose_name="held until",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="note",
            field=models.TextField(blank=True, help_text="Why it was granted.", verbose_name="note"),
        ),
        migrations.AddField(
            model_name="program",
            name="source",
            field=models.JSONField(blank=True, default=list, verbose_name="sources"),
        ),
        migrations.AddField(
            model_name="run",
            name="previous_on",
            field=models.DateField(
                help_text="The last day before it whose night is done.", null=True, verbose_name="night before it"
            ),
        ),
        migrations.AddField(
            model_name="tier",
            name="confirm",
            field=models.BooleanField(
                default=False, help_text="Who qualifies holds it when staff confirm.", verbose_name="to be confirmed"
            ),
        ),
        migrations.AddField(
            model_name="tier",
            name="earn",
            field=models.JSONField(blank=True, default=dict, verbose_name="rule to reach it"),
        ),
        migrations.AddField(
            model_name="tier",
            name="granted_only",
            field=models.BooleanField(
                default=False, help_text="Nobody earns it; staff grant it.", verbose_name="by invitation"
            ),
        ),
        migrations.AddField(
            model_name="tier",
            name="holds",
            field=models.JSONField(blank=True, default=dict, verbose_name="held at least"),
        ),
        migrations.AddField(
            model_name="tier",
            name="keep",
            field=models.JSONField(blank=True, default=dict, verbose_name="rule to keep it"),
        ),
        migrations.AddField(
            model_name="tierbenefit",
            name="per",
            field=models.CharField(
                blank=True,
                choices=[
                    ("year", "a year"),
                    ("half_year", "a half-year"),
                    ("quarter", "a quarter"),
                    ("month", "a month"),
                ],
                max_length=10,
                verbose_name="per",
            ),
        ),
        migrations.AddField(
            model_name="tierbenefit",
            name="quantity",
            field=common.money.AmountField(blank=True, null=True, verbose_name="how much"),
        ),
        migrations.AlterField(
            model_name="placement",
            name="reason",
            field=models.CharField(
                choices=[
                    ("joined", "Joined the program"),
                    ("earned", "Earned by results"),
                    ("lost", "Results below what keeps the tier above"),
                    ("granted", "Granted by staff"),
                    ("matched", "Granted as a status match"),
                    ("ended", "A grant came to its end"),
                ],
                max_length=10,
                verbose_name="reason",
            ),
        ),
        migrations.AddField(
            model_name="award",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="award",
            name="enrollment",
            field=models.ForeignKey(
                blank=True,
                help_text="The enrollment that earned it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="awards",
                to="tiers.enrollment",
            ),
        ),
        migrations.AddField(
            model_name="award",
            name="partner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="awards", to="partners.partner"
            ),
        ),
        migrations.AddField(
            model_name="benefituse",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="benefituse",
            name="benefit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="tiers.benefit"
            ),
        ),
        migrations.AddField(
            model_name="benefituse",
            name="enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="benefit_uses", to="tiers.enrollment"
            ),
        ),
        migrations.AddField(
            model_name="bound",
            name="measure",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tiers.measure",
            ),
        ),
        migrations.AddField(
            model_name="bound",
            name="run",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tiers.run"
            ),
        ),
        migrations.AddField(
            model_name="distinction",
            name="edition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="distinctions", to="tiers.edition"
            ),
        ),
        migrations.AddField(
            model_name="grace",
            name="enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="graces", to="tiers.enrollment"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="enrollment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="proposals", to="tiers.enrollment"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="evaluation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tiers.evaluation",
            ),
        ),
        migrations.AddField(
            model_name="relief",
            name="author",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="relief",
            name="enrollment",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: everyone in the program.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reliefs",
                to="tiers.enrollment",
            ),
        ),
        migrations.AddField(
            model_name="relief",
            name="program",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reliefs", to="tiers.program"
            ),
        ),
        migrations.AddIndex(
            model_name="award",
            index=models.Index(fields=["partner", "code"], name="tiers_award_by_partner"),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends_on__isnull", True), ("origin", "earned")),
                fields=("enrollment", "code"),
                name="tiers_one_open_earned_award_per_enrollment_and_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__isnull", True), ("ends_on__gt", models.F("starts_on")), _connector="OR"),
                name="tiers_award_ends_after_it_starts",
            ),
        ),
        migrations.AddIndex(
            model_name="benefituse",
            index=models.Index(fields=["enrollment", "benefit", "used_on"], name="tiers_benefit_use_by_day"),
        ),
        migrations.AddIndex(
            model_name="bound",
            index=models.Index(fields=["run", "measure", "enrolled_on"], name="tiers_bound_by_day"),
        ),
        migrations.AddConstraint(
            model_name="distinction",
            constraint=models.UniqueConstraint(
                fields=("edition", "code"), name="tiers_distinction_code_unique_in_edition"
            ),
        ),
        migrations.AddConstraint(
            model_name="grace",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_on__isnull", True)),
                fields=("enrollment",),
                name="tiers_one_open_grace_per_enrollment",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("enrollment",),
                name="tiers_one_open_proposal_per_enrollment",
            ),
        ),
        migrations.AddConstraint(
            model_name="relief",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gt", models.F("starts_on"))), name="tiers_relief_ends_after_it_starts"
            ),
        ),
    ]
