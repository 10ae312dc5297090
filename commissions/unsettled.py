"""Which sales are not paid as their terms say: asked of the database in one statement, so that settled ones stay there.

What stands posted for a partner, a sale and a currency is said by the last line alone (`before` plus `amount`), and so are
the terms it was computed with (`base`, `rate`). A sale whose amount and rate are those of its last line is settled.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from commissions.models import Earning, Plan, Rule
from common.money import from_units
from leads.models import Sale
from tiers.models import Enrollment, Placement, Program, Tier

ROWS_AT_ONCE = 2000
TABLES = {
    "earning": Earning, "plan": Plan, "rule": Rule, "sale": Sale, "enrollment": Enrollment, "placement": Placement,
    "tier": Tier,
}  # fmt: skip

# The last line of each partner, sale and currency.
LAST = """
    SELECT line.* FROM {earning} line
    WHERE line.program_id = %(program)s AND line.partner_id BETWEEN %(first)s AND %(last)s AND NOT EXISTS (
        SELECT 1 FROM {earning} later
        WHERE later.sale_id = line.sale_id AND later.program_id = line.program_id AND later.partner_id = line.partner_id
        AND later.currency = line.currency AND later.number > line.number)
"""
NUMBER = """
    COALESCE((SELECT MAX(line.number) FROM {earning} line WHERE line.sale_id = sale.id
        AND line.program_id = %(program)s AND line.partner_id = {partner}), 0)
"""

# Terms: the plan in force on the day (terms.PlanBook.plan_on) and the tier held on it (terms.Held.on).
DIFFERENT = f"""
    WITH plan AS (
        SELECT id, starts_on, ends_on, LEAD(starts_on) OVER (ORDER BY starts_on, version) AS replaced_on
        FROM {{plan}} WHERE program_id = %(program)s AND state = 'published'
    ), held AS (
        SELECT enrolled.partner_id, placement.starts_on, placement.ends_on, enrolled.ends_on AS left_on,
            placement.tier_id, tier.code
        FROM {{enrollment}} enrolled
        JOIN {{placement}} placement ON placement.enrollment_id = enrolled.id
        JOIN {{tier}} tier ON tier.id = placement.tier_id
        WHERE enrolled.program_id = %(program)s AND enrolled.partner_id BETWEEN %(first)s AND %(last)s
    ), last AS ({LAST})
    SELECT {{columns}}
    FROM {{sale}} sale
    LEFT JOIN held ON held.partner_id = sale.partner_id AND sale.sold_on >= held.starts_on
        AND (held.ends_on IS NULL OR sale.sold_on < held.ends_on) AND (held.left_on IS NULL OR sale.sold_on < held.left_on)
    LEFT JOIN plan ON sale.sold_on >= plan.starts_on AND (plan.ends_on IS NULL OR sale.sold_on < plan.ends_on)
        AND (plan.replaced_on IS NULL OR sale.sold_on < plan.replaced_on)
    LEFT JOIN {{rule}} rule ON rule.plan_id = plan.id AND rule.tier_code = held.code
    LEFT JOIN last ON last.sale_id = sale.id AND last.partner_id = sale.partner_id AND last.currency = sale.currency
    WHERE sale.sold_on < %(day)s AND sale.partner_id BETWEEN %(first)s AND %(last)s
    AND sale.partner_id IN (SELECT partner_id FROM {{enrollment}} WHERE program_id = %(program)s)
    AND (COALESCE(rule.rate, 0) <> COALESCE(last.rate, 0)
        OR rule.rate <> 0 AND (last.base IS NULL OR last.base <> sale.amount))
"""  # noqa: S608  # our own text

# Posted for what is no longer so: the sale went to another partner or currency, or to a later day than this night pays.
ELSEWHERE = f"""
    SELECT {{columns}} FROM ({LAST}) last JOIN {{sale}} sale ON sale.id = last.sale_id
    WHERE last.before + last.amount <> 0 AND last.earned_on < %(day)s
    AND (sale.partner_id <> last.partner_id OR sale.currency <> last.currency OR sale.sold_on >= %(day)s)
"""  # noqa: S608  # our own text


class Unsettled(NamedTuple):
    """A sale with its terms of today (none where `plan_id` is None) and what stands posted for it.

    `stood` is the amount in the ledger, `lines` how many lines the partner has for the sale.
    """

    partner_id: int
    sale_id: int
    day: date
    amount: Decimal
    currency: str
    plan_id: int | None
    tier_id: int | None
    tier_code: str | None
    stood: Decimal
    lines: int


def partners(program: Program, day: date) -> Iterator[int]:
    """The partners that have any, by id."""
    different, elsewhere = (
        DIFFERENT.replace("{columns}", "sale.partner_id"),
        ELSEWHERE.replace("{columns}", "last.partner_id"),
    )
    for (partner_id,) in _rows(f"{different} UNION {elsewhere} ORDER BY 1", program, day, (0, 2**62)):
        yield partner_id


def sales(program: Program, day: date, bounds: tuple[int, int]) -> Iterator[Unsettled]:
    """Sales of a range of partners, before `day`, whose terms or amount are not those of their last line."""
    columns = (
        "sale.partner_id, sale.id, sale.sold_on, sale.amount, sale.currency, plan.id, held.tier_id, held.code, "
        f"COALESCE(last.before + last.amount, 0), {NUMBER.replace('{partner}', 'sale.partner_id')}"
    )
    yield from map(_unsettled, _rows(f"{DIFFERENT.replace('{columns}', columns)} ORDER BY 1, 2", program, day, bounds))


def gone(program: Program, day: date, bounds: tuple[int, int]) -> Iterator[Unsettled]:
    """What stands posted to a range of partners for sales that are theirs, in that currency and of that day, no longer."""
    columns = (
        "last.partner_id, sale.id, last.earned_on, 0, last.currency, NULL, NULL, NULL, "
        f"last.before + last.amount, {NUMBER.replace('{partner}', 'last.partner_id')}"
    )
    yield from map(
        _unsettled, _rows(f"{ELSEWHERE.replace('{columns}', columns)} ORDER BY 1, 2, 5", program, day, bounds)
    )


def _unsettled(row: tuple[Any, ...]) -> Unsettled:
    partner_id, sale_id, day, amount, currency, plan_id, tier_id, code, stood, lines = row
    on = day if isinstance(day, date) else date.fromisoformat(day)
    return Unsettled(
        partner_id, sale_id, on, from_units(amount), currency, plan_id, tier_id, code, from_units(stood), lines
    )


def _rows(sql: str, program: Program, day: date, bounds: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
    quote = connection.ops.quote_name
    params = {
        "program": program.pk, "day": connection.ops.adapt_datefield_value(day), "first": bounds[0], "last": bounds[1],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**{name: quote(model._meta.db_table) for name, model in TABLES.items()}), params)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows
