"""Facts from elsewhere for tests. Every argument has a plain default."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from partners.models import Partner
from records.models import PlanTarget, Record, Score
from tiers.models import Award

_numbers = count(1)
DAY = date(2026, 1, 1)


def make_record(partner: Partner, **over: Any) -> Record:
    fields = {"external_id": f"R{next(_numbers)}", "kind": "installation", "occurred_on": DAY, **over}
    return Record.objects.create(partner=partner, **fields)


def make_score(partner: Partner, **over: Any) -> Score:
    return Score.objects.create(partner=partner, **{"kind": "csat", "value": Decimal(1), "scored_on": DAY, **over})


def make_target(partner: Partner, **over: Any) -> PlanTarget:
    fields = {
        "key": "revenue", "starts_on": DAY, "ends_on": date(2027, 1, 1), "amount": Decimal(1000), "currency": "EUR",
        **over,
    }  # fmt: skip
    return PlanTarget.objects.create(partner=partner, **fields)


def make_award(partner: Partner, **over: Any) -> Award:
    fields = {"code": "specialist", "starts_on": DAY, "origin": Award.Origin.GRANTED, **over}
    return Award.objects.create(partner=partner, **fields)
