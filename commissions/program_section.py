"""Commission plans in program files."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from commissions import plan_documents, services
from commissions.models import Plan
from tiers import program_file
from tiers.models import Program

OWN = ("name", "starts_on", "ends_on")
SCHEMA = {"type": "array", "items": plan_documents.PLAN}


def check(plans: list[dict[str, Any]], document: program_file.Document) -> Iterator[str]:
    known = {tier["code"] for edition in document["editions"] for tier in edition["tiers"]}
    seen: set[str] = set()
    for number, plan in enumerate(plans):
        where = f"plans[{number}]"
        yield from plan_documents.sense(plan, tiers=known, currency=document["currency"], where=f"{where}.")
        if plan.get("ends_on", "9999-12-31") <= plan["starts_on"]:
            yield _("%(where)s: the plan ends before it starts.") % {"where": f"{where}.ends_on"}
        if plan["starts_on"] in seen:
            yield _("%(where)s: two plans start on %(day)s.") % {"where": where, "day": plan["starts_on"]}
        seen.add(plan["starts_on"])


def load(program: Program, plans: list[dict[str, Any]], actor: User | None) -> None:
    for plan in plans:
        services.publish_plan(
            program=program,
            name=plan["name"],
            starts_on=date.fromisoformat(plan["starts_on"]),
            ends_on=date.fromisoformat(plan["ends_on"]) if "ends_on" in plan else None,
            definition={key: value for key, value in plan.items() if key not in OWN},
            actor=actor,
        )


def dump(program: Program) -> list[dict[str, Any]]:
    """The plan that counts from each day: its last version, earliest day first."""
    latest = {plan.starts_on: plan for plan in Plan.objects.published().filter(program=program).order_by("version")}
    described = []
    for starts_on, plan in sorted(latest.items()):
        ends = {"ends_on": plan.ends_on.isoformat()} if plan.ends_on else {}
        own = {"name": dict(plan.name), "starts_on": starts_on.isoformat(), **ends}
        described.append({**own, **plan_documents.in_order(plan.definition)})
    return described


def register() -> None:
    program_file.register_section(program_file.Section("plans", SCHEMA, check, load, dump))
