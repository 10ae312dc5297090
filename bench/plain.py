"""The same numbers by plain SQL, written by hand: what the database alone needs for them.

Each is the limit that a step of the night is compared with. Tables are made like the product's, with the same indexes,
checks and foreign keys: what the database holds as an invariant, it holds for both.
"""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

TABLES = {
    "tiers_measured": "plain_measured",
    "tiers_evaluation": "plain_evaluation",
    "commissions_earning": "plain_earning",
    "commissions_statement": "plain_statement",
    "commissions_statementline": "plain_statementline",
}

# Figures by measure, for the day `%(day)s`: (partner, value).
MEASURES = {
    "net-sales": """
        SELECT partner_id, sum(amount) FROM leads_sale
        WHERE voided_at IS NULL AND currency = 'EUR' AND sold_on >= %(day)s::date - interval '12 months' AND sold_on < %(day)s
        GROUP BY 1
    """,
    "new-business": """
        SELECT partner_id, sum(amount) FROM leads_sale
        WHERE voided_at IS NULL AND currency = 'EUR' AND kind = 'new' AND sold_on >= %(day)s::date - interval '6 months'
            AND sold_on < %(day)s
        GROUP BY 1
    """,
    "orders": """
        SELECT partner_id, count(DISTINCT order_number) FROM leads_sale
        WHERE voided_at IS NULL AND sold_on >= %(day)s::date - interval '12 months' AND sold_on < %(day)s GROUP BY 1
    """,
    "products": """
        SELECT sale.partner_id, count(DISTINCT product.external_id) FROM leads_sale sale
        JOIN leads_product product ON product.id = sale.product_id
        WHERE voided_at IS NULL AND sold_on >= %(day)s::date - interval '24 months' AND sold_on < %(day)s GROUP BY 1
    """,
    "recent-sales": """
        SELECT partner_id, count(*) FROM leads_sale
        WHERE voided_at IS NULL AND sold_on >= %(day)s::date - 90 AND sold_on < %(day)s GROUP BY 1
    """,
    "sales-people": """
        SELECT partner_id, count(*) FROM partners_member
        WHERE job = 'sales' AND joined_on <= %(day)s AND (left_on IS NULL OR left_on > %(day)s) GROUP BY 1
    """,
    "certified-sales-people": """
        SELECT partner_id, count(*) FROM partners_member member
        WHERE job = 'sales' AND joined_on <= %(day)s AND (left_on IS NULL OR left_on > %(day)s) AND EXISTS (
            SELECT FROM training_certificate WHERE member_id = member.id AND awarded_on <= %(day)s
            AND (expires_on IS NULL OR expires_on > %(day)s))
        GROUP BY 1
    """,
    "certified-people": """
        SELECT partner_id, count(DISTINCT member_id) FROM training_certificate
        JOIN partners_member member ON member.id = member_id
        WHERE awarded_on <= %(day)s AND (expires_on IS NULL OR expires_on > %(day)s)
        AND joined_on <= %(day)s AND (left_on IS NULL OR left_on > %(day)s) GROUP BY 1
    """,
    "specialists": """
        SELECT partner_id, count(DISTINCT member_id) FROM training_certificate
        JOIN partners_member member ON member.id = member_id
        JOIN training_certification certification ON certification.id = certification_id
        WHERE awarded_on <= %(day)s AND (expires_on IS NULL OR expires_on > %(day)s) AND code IN ('c-1', 'c-2')
        AND joined_on <= %(day)s AND (left_on IS NULL OR left_on > %(day)s) GROUP BY 1
    """,
    "business-plan": """
        SELECT partner_id, count(*) FROM tiers_attestation attestation
        JOIN tiers_enrollment enrolled ON enrolled.id = enrollment_id
        WHERE kind = 'business-plan' AND attestation.starts_on <= %(day)s
        AND (attestation.ends_on IS NULL OR attestation.ends_on > %(day)s) GROUP BY 1
    """,
}

# One row for each enrollment: its figures, and the highest tier whose rule they meet.
EVALUATE = """
    INSERT INTO plain_evaluation (enrollment_id, edition_id, run_id, evaluated_on, earned_id, measured, traits, verdicts)
    SELECT enrolled.id, tier.edition_id, NULL, %(day)s, tier.id, coalesce(figures, '{}'), '{}', '{}'
    FROM tiers_enrollment enrolled
    LEFT JOIN (
        SELECT enrollment_id, jsonb_object_agg(key, value::text) AS figures,
            coalesce(sum(value) FILTER (WHERE key = 'net-sales'), 0) AS net_sales,
            coalesce(sum(value) FILTER (WHERE key = 'new-business'), 0) AS new_business,
            coalesce(sum(value) FILTER (WHERE key = 'orders'), 0) AS orders,
            coalesce(sum(value) FILTER (WHERE key = 'products'), 0) AS products,
            coalesce(sum(value) FILTER (WHERE key = 'recent-sales'), 0) AS recent_sales,
            coalesce(sum(value) FILTER (WHERE key = 'sales-people'), 0) AS sales_people,
            coalesce(sum(value) FILTER (WHERE key = 'certified-sales-people'), 0) AS certified_sales_people,
            coalesce(sum(value) FILTER (WHERE key = 'certified-people'), 0) AS certified_people,
            coalesce(sum(value) FILTER (WHERE key = 'specialists'), 0) AS specialists,
            coalesce(sum(value) FILTER (WHERE key = 'business-plan'), 0) AS business_plan
        FROM plain_measured JOIN tiers_measure measure ON measure.id = measure_id GROUP BY 1
    ) measured ON measured.enrollment_id = enrolled.id
    JOIN tiers_tier tier ON tier.code = CASE
        WHEN net_sales >= 1200000000 AND sales_people > 0 AND certified_sales_people * 10 >= sales_people * 8
            AND products >= 20 AND recent_sales >= 5 THEN 'platinum'
        WHEN net_sales >= 600000000 AND sales_people > 0 AND certified_sales_people * 2 >= sales_people
            AND (new_business >= 150000000)::int + (business_plan >= 1)::int + (specialists >= 1)::int >= 2 THEN 'gold'
        WHEN net_sales >= 300000000 AND (certified_people >= 1 OR orders >= 8) THEN 'silver'
        ELSE 'registered' END
"""

# What each sale should earn: a share of its amount by the tier held on its day, half to even, in ten-thousandths.
DUE = """
    SELECT sale.partner_id, sale.id AS sale_id, sold_on, plan.id AS plan_id, placement.tier_id, sale.amount AS base, rule.rate, sale.changed_at,
        100 * CASE WHEN abs(exact) %% 1 = 0.5 THEN 2 * round(exact / 2) ELSE round(exact) END AS amount, sale.currency
    FROM leads_sale sale
    JOIN tiers_enrollment enrolled ON enrolled.partner_id = sale.partner_id
    JOIN tiers_placement placement ON placement.enrollment_id = enrolled.id
        AND placement.starts_on <= sold_on AND (placement.ends_on IS NULL OR placement.ends_on > sold_on)
    JOIN tiers_tier tier ON tier.id = placement.tier_id
    JOIN commissions_plan plan ON plan.program_id = enrolled.program_id
    JOIN LATERAL (SELECT (plan.definition #>> ARRAY['rules', '0', 'rate', tier.code])::numeric AS rate) rule ON rule.rate IS NOT NULL
    CROSS JOIN LATERAL (SELECT sale.amount * rule.rate / 100 AS exact) formula
    WHERE sold_on < %(day)s
"""
EARN = f"""
    INSERT INTO plain_earning (partner_id, owner_id, program_id, event, fact, sale_id, number, kind, earned_on, terms_on, available_on,
        posting_id, terms_id, base, rate, before, amount, currency, detail, fact_changed_at)
    SELECT partner_id, partner_id, %(program)s, 'sale', sale_id, sale_id, 1, 'accrual', sold_on, sold_on, sold_on, %(posting)s,
        %(terms)s, base, rate, 0, amount, currency, NULL, changed_at
    FROM ({DUE}) due WHERE amount <> 0
"""
# What the plain rows name as theirs.
PLAIN_TERMS = (
    "INSERT INTO commissions_terms (digest, rule, reason, document) VALUES ('plain', '', '', '{}') RETURNING id"
)
PLAIN_POSTING = """
    INSERT INTO commissions_posting (program_id, posted_at, lines, digest) VALUES (%(program)s, now(), 0, 'plain') RETURNING id
"""
STATE = (
    """
    INSERT INTO plain_statement (partner_id, starts_on, ends_on, currency, state, amount, total, opening, released, held, tax,
        tax_rate, tax_mention, payment_reference, reason)
    SELECT partner_id, month, month + interval '1 month', currency, 'draft', sum(amount), sum(amount), 0, 0, 0, 0, 0, '', '', ''
    FROM (SELECT *, date_trunc('month', earned_on)::date AS month FROM plain_earning) earned
    WHERE earned_on < date_trunc('month', %(day)s::date) GROUP BY 1, 2, 4
    """,
    """
    INSERT INTO plain_statementline (statement_id, earning_id)
    SELECT statement.id, earning.id FROM plain_earning earning JOIN plain_statement statement USING (partner_id, currency)
    WHERE earning.earned_on >= statement.starts_on AND earning.earned_on < statement.ends_on
    """,
)

# The facts read once: a statement for each dataset that gives all of its measures, and what is due beside what is posted.
READ_ONCE = (
    """
    SELECT count(*) FROM (
        SELECT partner_id, sum(amount) FILTER (WHERE sold_on >= %(day)s::date - interval '12 months'),
            sum(amount) FILTER (WHERE kind = 'new' AND sold_on >= %(day)s::date - interval '6 months'),
            count(DISTINCT order_number) FILTER (WHERE sold_on >= %(day)s::date - interval '12 months'),
            count(DISTINCT product_id), count(*) FILTER (WHERE sold_on >= %(day)s::date - 90)
        FROM leads_sale WHERE voided_at IS NULL AND currency = 'EUR' AND sold_on >= %(day)s::date - interval '24 months'
            AND sold_on < %(day)s
        GROUP BY 1 OFFSET 0) figures
    """,
    """
    SELECT count(*) FROM (
        SELECT partner_id, count(DISTINCT member.id) FILTER (WHERE job = 'sales'),
            count(DISTINCT member.id) FILTER (WHERE job = 'sales' AND certificate.id IS NOT NULL),
            count(DISTINCT certificate.member_id), count(DISTINCT certificate.member_id) FILTER (WHERE code IN ('c-1', 'c-2'))
        FROM partners_member member
        LEFT JOIN (training_certificate certificate JOIN training_certification ON certification_id = training_certification.id)
            ON member_id = member.id AND awarded_on <= %(day)s AND (expires_on IS NULL OR expires_on > %(day)s)
        WHERE joined_on <= %(day)s AND (left_on IS NULL OR left_on > %(day)s) GROUP BY 1 OFFSET 0) figures
    """,
    MEASURES["business-plan"],
    f"""
    SELECT count(*) FROM ({DUE}) due
    FULL JOIN (SELECT sale_id, sum(amount) AS amount FROM commissions_earning GROUP BY 1) posted USING (sale_id)
    WHERE due.amount IS DISTINCT FROM posted.amount AND coalesce(due.amount, 0) <> coalesce(posted.amount, 0)
    """,
)


def _timed(statements: Sequence[tuple[str, dict[str, Any]]], tables: Sequence[str] = ()) -> float:
    """Seconds of the statements in one transaction, the better of two passes; the tables are emptied before each."""
    took = []
    for _ in range(2):
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"TRUNCATE {table} CASCADE")
            started = time.perf_counter()
            cursor.execute("BEGIN")
            for sql, params in statements:
                cursor.execute(sql, params)
            cursor.execute("COMMIT")
        took.append(time.perf_counter() - started)
    return min(took)


def make_tables() -> None:
    with connection.cursor() as cursor:
        for like, plain in TABLES.items():
            cursor.execute(f"CREATE TABLE {plain} (LIKE {like} INCLUDING ALL)")
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
                [like],
            )
            for (definition,) in cursor.fetchall():
                for product, copy in TABLES.items():
                    definition = definition.replace(f"REFERENCES {product}(", f"REFERENCES {copy}(")
                cursor.execute(f"ALTER TABLE {plain} ADD {definition}")


def run_of(day: date, program_id: int) -> int:
    """A run that the plain rows may name; of a day long before, so that it is in no night's way."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tiers_run (program_id, day, edition_id, is_dry, state, step, options, totals, carried, error, started_at)
            SELECT program_id, %(day)s::date - 3650, id, false, 'done', '', '{}', '{}', '{}', '', now()
            FROM tiers_edition WHERE program_id = %(program)s
            ON CONFLICT (program_id, day) WHERE NOT is_dry DO UPDATE SET state = 'done' RETURNING id
            """,
            {"day": day, "program": program_id},
        )
        return int(cursor.fetchone()[0])


def evaluate(day: date, program_id: int) -> float:
    run = run_of(day, program_id)
    measured = [
        (
            "INSERT INTO plain_measured (run_id, enrollment_id, measure_id, member, value, over) "
            f"SELECT %(run)s, enrolled.id, measure.id, '', facts.value, 1 FROM ({sql}) AS facts (partner_id, value) "
            "JOIN tiers_enrollment enrolled ON enrolled.partner_id = facts.partner_id "
            "JOIN tiers_measure measure ON measure.key = %(key)s WHERE facts.value <> 0",
            {"day": day, "key": key, "run": run},
        )
        for key, sql in MEASURES.items()
    ]
    return _timed([*measured, (EVALUATE, {"day": day})], ["plain_measured", "plain_evaluation"])


def earn(day: date, program_id: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN_TERMS)
        terms = cursor.fetchone()[0]
        cursor.execute(PLAIN_POSTING, {"program": program_id})
        posting = cursor.fetchone()[0]
    params = {"day": day, "program": program_id, "posting": posting, "terms": terms}
    return _timed([(EARN, params)], ["plain_earning"])


def state(day: date, program_id: int) -> float:
    return _timed([(sql, {"day": day}) for sql in STATE], ["plain_statement", "plain_statementline"])


def read_once(day: date, program_id: int, *, pays: bool) -> float:
    return _timed([(sql, {"day": day}) for sql in (READ_ONCE if pays else READ_ONCE[:-1])])


# Rows that the product has and plain SQL has not, or the other way round: none, or the comparison means nothing.
DIFFERENT = {
    "figures": """
        SELECT enrollment_id, key, value FROM tiers_evaluation, jsonb_each_text(measured) WHERE value <> '0'
        {how} SELECT enrollment_id, key, value::text FROM plain_measured JOIN tiers_measure measure ON measure.id = measure_id
    """,
    "tiers": "SELECT enrollment_id, earned_id FROM tiers_evaluation {how} SELECT enrollment_id, earned_id FROM plain_evaluation",
    "earnings": """
        SELECT partner_id, sale_id, number, kind, earned_on, base, rate, before, amount, currency FROM commissions_earning
        {how} SELECT partner_id, sale_id, number, kind, earned_on, base, rate, before, amount, currency FROM plain_earning
    """,
    "statements": """
        SELECT partner_id, starts_on, ends_on, currency, amount, total FROM commissions_statement
        {how} SELECT partner_id, starts_on, ends_on, currency, amount, total FROM plain_statement
    """,
}


def differences() -> dict[str, int]:
    """How many rows differ between the product's tables and these, by what they hold."""
    found = {}
    with connection.cursor() as cursor:
        for name, sql in DIFFERENT.items():
            first, second = sql.format(how="EXCEPT ALL").split("EXCEPT ALL")
            cursor.execute(
                f"SELECT count(*) FROM (({first} EXCEPT ALL {second}) UNION ALL ({second} EXCEPT ALL {first})) different"
            )
            found[name] = cursor.fetchone()[0]
    return found
