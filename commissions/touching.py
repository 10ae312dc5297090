"""What pay depends on, and whom a change of it unsettles: triggers that append to models.Unsettled, on both databases.

So a night looks at those partners alone, and a change made by SQL is seen like one made in the admin. Each note says since which
day facts of a partner may earn something else; the earliest counts.
"""

# ruff: noqa: S608  # statements of our own words

from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate, pre_migrate  # noqa: TID251  # triggers belong to the schema, not to a service

from common import noting
from common.noting import Note

PREFIX = "commissions_touched"
TARGET = "commissions_unsettled (program_id, partner_id, since)"
EVER = "1900-01-01"


def _by_partner(rows: str) -> str:
    """From partner_id and since: for each program that the partner is in."""
    return (
        f"SELECT enrolled.program_id, enrolled.partner_id, MIN(touched.since) FROM ({rows}) touched "
        "JOIN tiers_enrollment enrolled ON enrolled.partner_id = touched.partner_id "
        "WHERE touched.since IS NOT NULL GROUP BY enrolled.program_id, enrolled.partner_id"
    )


def _day_before(column: str) -> str:
    """Of an instant: its day in no time zone, so the day before is early enough in any."""
    if connection.vendor == "postgresql":
        return f"(CAST({column} AS date) - 1)"
    return f"date({column}, '-1 day')"


def _ever() -> str:
    return f"CAST('{EVER}' AS date)" if connection.vendor == "postgresql" else f"'{EVER}'"


def _with_sponsored(rows: str) -> str:
    """From program_id, partner_id and since: with those in the program whom these sponsor, and whom those sponsor."""

    def below(who: str, more: str) -> str:
        return (
            f"SELECT touched.program_id, {who}.partner_id, touched.since FROM ({rows}) touched "
            f"JOIN partners_sponsorship one ON one.sponsor_id = touched.partner_id {more}"
            f"JOIN tiers_enrollment below ON below.program_id = touched.program_id AND below.partner_id = {who}.partner_id"
        )

    second = "JOIN partners_sponsorship two ON two.sponsor_id = one.partner_id "
    return (
        f"SELECT program_id, partner_id, MIN(since) FROM ({rows} UNION ALL {below('one', '')} UNION ALL {below('two', second)}) found "
        "WHERE since IS NOT NULL GROUP BY program_id, partner_id"
    )


def _since(rows: str) -> str:
    """From partner_id and since, where what changed counts by the facts' own days: with the days of terms of those facts that have
    another one (collections and refunds that name their sale).
    """
    return (
        f"SELECT partner_id, since FROM ({rows}) own UNION ALL "
        f"SELECT own.partner_id, MIN(sale.sold_on) FROM ({rows}) own JOIN leads_sale sale ON sale.partner_id = own.partner_id "
        "JOIN leads_collection come ON come.sale_id = sale.id AND come.collected_on >= own.since GROUP BY own.partner_id UNION ALL "
        f"SELECT own.partner_id, MIN(sale.sold_on) FROM ({rows}) own JOIN leads_sale refund ON refund.partner_id = own.partner_id "
        "AND refund.sold_on >= own.since JOIN leads_sale sale ON sale.id = refund.refund_of_id GROUP BY own.partner_id"
    )


def _and_below(rows: str) -> str:
    """From partner_id and since: with the partners whom these sponsor, and whom those sponsor."""
    one = f"FROM ({rows}) own JOIN partners_sponsorship one ON one.sponsor_id = own.partner_id"
    return (
        f"SELECT partner_id, since FROM ({rows}) own UNION ALL SELECT one.partner_id, own.since {one} UNION ALL "
        f"SELECT two.partner_id, own.since {one} JOIN partners_sponsorship two ON two.sponsor_id = one.partner_id"
    )


EARLIER = """CASE WHEN {old} IS NULL OR {new} < {old} THEN {new} WHEN {new} IS NULL OR {old} <= {new} THEN {old} END"""


def _earlier(column: str) -> str:
    return EARLIER.format(old=f"old_{column}", new=f"new_{column}")


def notes() -> list[Note]:
    """One for each table."""

    def note(table: str, columns: str, watched: str, rows: str, **more: Any) -> Note:
        return Note(table, tuple(columns.split()), tuple(watched.split()), TARGET, rows, **more)

    return [
        note(
            "leads_sale", "id partner_id sold_on refund_of_id",
            "partner_id sold_on refund_of_id kind product_id customer_name order_number quantity cost amount recurring_amount "
            "currency deal_id sourced voided_at",
            _by_partner(
                "SELECT partner_id, sold_on AS since FROM {rows} r UNION ALL "
                "SELECT r.partner_id, original.sold_on FROM {rows} r JOIN leads_sale original ON original.id = r.refund_of_id "
                "UNION ALL SELECT refund.partner_id, r.sold_on FROM {rows} r JOIN leads_sale refund ON refund.refund_of_id = r.id "
                "WHERE refund.partner_id <> r.partner_id"
            ),
        ),
        note(
            "leads_collection", "sale_id", "sale_id amount collected_on",
            _by_partner("SELECT sale.partner_id, sale.sold_on AS since FROM {rows} r JOIN leads_sale sale ON sale.id = r.sale_id"),
        ),
        note(
            "leads_split", "sale_id", "sale_id partner_id parts",
            _by_partner("SELECT sale.partner_id, sale.sold_on AS since FROM {rows} r JOIN leads_sale sale ON sale.id = r.sale_id"),
        ),
        note(
            "leads_deal", "id partner_id closed_on decided_at",
            "partner_id status amount currency customer_name sourced closed_on decided_at lead_id",
            _by_partner(
                f"SELECT partner_id, {_day_before('decided_at')} AS since FROM {{rows}} r UNION ALL "
                "SELECT partner_id, closed_on FROM {rows} r UNION ALL "
                "SELECT sale.partner_id, sale.sold_on FROM {rows} r JOIN leads_sale sale ON sale.deal_id = r.id"
            ),
        ),
        note(
            "leads_offer", "partner_id answered_at", "partner_id answer answered_at",
            _by_partner(f"SELECT partner_id, {_day_before('answered_at')} AS since FROM {{rows}} r"),
        ),
        note(
            "leads_lead", "id", "source country",
            _by_partner(
                f"SELECT offer.partner_id, {_day_before('offer.answered_at')} AS since FROM {{rows}} r "
                "JOIN leads_offer offer ON offer.lead_id = r.id"
            ),
            operations=("UPDATE",),
        ),
        note(
            "training_certificate", "member_id awarded_on", "member_id certification_id awarded_on",
            _by_partner("SELECT member.partner_id, r.awarded_on AS since FROM {rows} r JOIN partners_member member ON member.id = r.member_id"),
        ),
        note(
            "partners_member", "id partner_id", "partner_id job",
            _by_partner(
                "SELECT r.partner_id, held.awarded_on AS since FROM {rows} r JOIN training_certificate held ON held.member_id = r.id"
            ),
            operations=("UPDATE",),
        ),
        note(
            "records_record", "partner_id occurred_on", "partner_id kind name occurred_on amount currency quantity attributes",
            _by_partner("SELECT partner_id, occurred_on AS since FROM {rows} r"),
        ),
        note(
            "records_plantarget", "partner_id starts_on", "partner_id key starts_on ends_on amount currency quantity",
            _by_partner(_since("SELECT partner_id, starts_on AS since FROM {rows} r")),
        ),
        note(
            "tiers_placement", "enrollment_id tier_id starts_on ends_on", "enrollment_id tier_id starts_on ends_on",
            _with_sponsored(
                "SELECT enrolled.program_id, enrolled.partner_id, r.starts_on AS since FROM {rows} r "
                "JOIN tiers_enrollment enrolled ON enrolled.id = r.enrollment_id"
            ),
            changes=_with_sponsored(
                "SELECT enrolled.program_id, enrolled.partner_id, CASE WHEN new_starts_on = old_starts_on AND new_tier_id = old_tier_id "
                f"THEN {_earlier('ends_on')} ELSE {_earlier('starts_on')} END AS since FROM {{pairs}} r "
                "JOIN tiers_enrollment enrolled ON enrolled.id = r.new_enrollment_id"
            ),
        ),
        note(
            "tiers_enrollment", "program_id partner_id starts_on", "program_id partner_id starts_on ends_on",
            _with_sponsored("SELECT program_id, partner_id, starts_on AS since FROM {rows} r"),
        ),
        note(
            "partners_sponsorship", "partner_id starts_on", "partner_id sponsor_id starts_on ends_on",
            _by_partner(
                "SELECT partner_id, starts_on AS since FROM {rows} r UNION ALL "
                "SELECT below.partner_id, r.starts_on FROM {rows} r JOIN partners_sponsorship below ON below.sponsor_id = r.partner_id"
            ),
        ),
        note(
            "partners_partner", "id", "traits", _by_partner(f"SELECT id AS partner_id, {_ever()} AS since FROM {{rows}} r"),
            operations=("UPDATE",),
        ),
        note(
            "partners_location", "partner_id", "partner_id is_main country",
            _by_partner(f"SELECT partner_id, {_ever()} AS since FROM {{rows}} r"),
        ),
        note(
            "leads_product", "id", "external_id category_code",
            _by_partner("SELECT sale.partner_id, MIN(sale.sold_on) AS since FROM {rows} r JOIN leads_sale sale ON sale.product_id = r.id GROUP BY sale.partner_id"),
            operations=("UPDATE",),
        ),
        note(
            "commissions_payoutcurrency", "partner_id starts_on", "partner_id currency starts_on",
            _by_partner(_since(_and_below("SELECT partner_id, starts_on AS since FROM {rows} r"))),
        ),
        note(
            "commissions_plan", "program_id state starts_on", "state",
            "SELECT r.program_id, enrolled.partner_id, r.starts_on FROM {rows} r "
            "JOIN tiers_enrollment enrolled ON enrolled.program_id = r.program_id WHERE r.state = 'published'",
            operations=("INSERT", "UPDATE"),
        ),
        note(
            "rates_rate", "id", "value",
            "SELECT unpaid.program_id, unpaid.partner_id, MIN(unpaid.terms_on) FROM commissions_unpaid unpaid "
            "JOIN commissions_terms terms ON terms.id = unpaid.terms_id AND terms.reason = 'no_exchange_rate' "
            "WHERE EXISTS (SELECT 1 FROM {rows} r) GROUP BY unpaid.program_id, unpaid.partner_id",
            operations=("INSERT",),
        ),
    ]  # fmt: skip


def watch(app: AppConfig) -> None:
    """Take the triggers down before migrations of any app and put them up after."""
    pre_migrate.connect(_down, sender=app)
    post_migrate.connect(_up, sender=app)


def _down(**_of: Any) -> None:
    noting.uninstall(PREFIX)


def _up(**_of: Any) -> None:
    if "commissions_unsettled" in connection.introspection.table_names():
        noting.install(PREFIX, notes())
