"""Rows of rules and columns of measures become the documents that program files hold. Batched by edition; repeating it
changes nothing."""

from decimal import Decimal

from django.db import migrations

COMPARISONS = {"gte": "at_least", "gt": "more_than", "lte": "at_most", "lt": "less_than"}
REVIEWS = {"nightly": "day", "monthly": "month", "quarterly": "quarter", "yearly": "year"}


def number(value):
    value = Decimal(value)
    return int(value) if value == value.to_integral_value() else format(value.normalize(), "f")


def definition(measure):
    if measure.aggregate == "ratio":
        return {"ratio": [measure.numerator.key, measure.denominator.key]}
    described = {
        "aggregate": measure.aggregate, "dataset": measure.dataset, "field": measure.field,
        "filters": measure.filters, "window": measure.window,
    }  # fmt: skip
    return {key: value for key, value in described.items() if value not in ("", [])}


def document(rule, below):
    if rule.kind == "requirement":
        return {
            "measure": rule.measure.key,
            "is": COMPARISONS[rule.comparison],
            "value": number(rule.threshold),
        }
    children = [document(child, below) for child in below.get(rule.pk, [])]
    return {"at_least": rule.at_least, "of": children} if rule.kind == "at_least" else {rule.kind: children}


def forwards(apps, editor):
    edition_model = apps.get_model("tiers", "Edition")
    for edition in edition_model.objects.all():
        edition.life = {"promotion": {"every": "day"}, "demotion": {"every": REVIEWS[edition.review]}}
        edition.save(update_fields=["life"])
        for measure in edition.measures.select_related("numerator", "denominator"):
            measure.definition = definition(measure)
            measure.save(update_fields=["definition"])
        rules = apps.get_model("tiers", "Rule").objects.filter(tier__edition=edition).select_related("measure")
        below = {}
        for rule in rules.order_by("position", "id"):
            below.setdefault(rule.parent_id, []).append(rule)
        tiers = {tier.pk: tier for tier in edition.tiers.all()}
        for root in below.get(None, []):
            setattr(tiers[root.tier_id], root.purpose, document(root, below))
            tiers[root.tier_id].save(update_fields=["earn", "keep"])


class Migration(migrations.Migration):
    dependencies = [("tiers", "0006_programs_as_documents")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop, elidable=True)]
