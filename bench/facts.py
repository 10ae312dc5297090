"""The data: made by the database, the same every time, in the shape of a real program: few partners sell much, towns differ in size.

For each partner 50 sales over three years, 3 members, 5 certificates, 5 locations, half an attestation; one in eight of
the sales is a renewal and one in thirty a refund. Two partners in five start in the second tier, which pays.
"""

from datetime import date

from django.db import connection

DAY = date(2026, 6, 1)
SALES, MEMBERS, CERTIFICATES, LOCATIONS = 50, 3, 5, 5
TOWNS = 2000

# A number from 0 up to, not including, n: the same for the same row and purpose.
PICK = """
CREATE FUNCTION pick(id bigint, purpose int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(id, purpose) & 9223372036854775807) % n $$
"""

FILL = {
    "towns": """
        CREATE TABLE bench_town AS
        SELECT g AS id, 36 + pick(g, 30, 24000) / 1000.0::float8 AS latitude, -9 + pick(g, 31, 34000) / 1000.0::float8 AS longitude,
            (ARRAY['FR', 'DE', 'ES', 'IT', 'PL'])[1 + pick(g, 32, 5)] AS country
        FROM generate_series(1, %(towns)s) g
    """,
    "products": """
        INSERT INTO leads_product (external_id, code, name, category, category_code)
        SELECT 'p-' || g, 'P' || g, jsonb_build_object('en', 'Product ' || g), '{}', 'category-' || g %% 10 FROM generate_series(1, 200) g
    """,
    "partners": """
        INSERT INTO partners_partner (external_id, name, slug, kind, status, is_listed, description, specialties, email,
            phone, website, joined_on, traits, created_at)
        SELECT 'b-' || g, 'Partner ' || g, 'partner-' || g, (ARRAY['Reseller', 'Integrator', 'Consultant'])[1 + pick(g, 1, 3)],
            'active', true, '{}', '', '', '', '', DATE '2020-01-01' + pick(g, 2, 1000)::int, '{}', now()
        FROM generate_series(1, %(partners)s) g
    """,
    "enrollments": """
        INSERT INTO tiers_enrollment (partner_id, program_id, starts_on)
        SELECT id, %(program)s, joined_on FROM partners_partner ORDER BY id
    """,
    "placements": """
        INSERT INTO tiers_placement (enrollment_id, tier_id, starts_on, reason, note)
        SELECT enrolled.id, tier.id, enrolled.starts_on, 'joined', '' FROM tiers_enrollment enrolled
        JOIN tiers_tier tier ON tier.rank = CASE WHEN pick(enrolled.id, 3, 5) < 2 THEN 2 ELSE 1 END ORDER BY enrolled.id
    """,
    "members": """
        INSERT INTO partners_member (partner_id, external_id, name, email, job, job_title, role, joined_on, left_on, is_made_up)
        SELECT 1 + (g - 1) / %(members)s, 'm-' || g, 'Person ' || g, '', (ARRAY['sales', 'sales', 'technical', 'marketing'])[1 + pick(g, 4, 4)],
            '', 'sales', DATE '2021-01-01' + pick(g, 5, 1200)::int,
            CASE WHEN pick(g, 6, 6) = 0 THEN DATE '2024-06-01' + pick(g, 7, 900)::int END, true
        FROM generate_series(1, %(partners)s * %(members)s) g
    """,
    "certifications": """
        INSERT INTO training_certification (code, name, valid_months)
        SELECT 'c-' || g, jsonb_build_object('en', 'Certification ' || g), 24 FROM generate_series(1, 6) g
    """,
    "certificates": """
        INSERT INTO training_certificate (external_id, member_id, certification_id, awarded_on, expires_on, is_made_up)
        SELECT 't-' || g, 1 + pick(g, 8, %(partners)s * %(members)s), certification.id, awarded, awarded + 730, true
        FROM generate_series(1, %(partners)s * %(certificates)s) g
        CROSS JOIN LATERAL (SELECT %(day)s::date - 1 - pick(g, 9, 1200)::int AS awarded) dates
        JOIN training_certification certification ON certification.code = 'c-' || 1 + pick(g, 10, 6)
    """,
    "attestations": """
        INSERT INTO tiers_attestation (enrollment_id, kind, title, document, starts_on, ends_on, is_made_up)
        SELECT 1 + pick(g, 11, %(partners)s), CASE WHEN pick(g, 12, 2) = 0 THEN 'business-plan' ELSE 'case-study' END, 'Signed', '',
            starts_on, starts_on + 365, true
        FROM generate_series(1, %(partners)s / 2) g
        CROSS JOIN LATERAL (SELECT %(day)s::date - 1 - pick(g, 13, 700)::int AS starts_on) dates
    """,
    "sales": """
        INSERT INTO leads_sale (external_id, partner_id, kind, order_number, sold_on, product_id, customer_name, quantity,
            unit_price, cost, amount, currency, sourced, void_reason, created_at, changed_at)
        SELECT 's-' || g, 1 + floor(%(partners)s * power(pick(g, 14, 1000000000) / 1e9::float8, 1.5))::bigint, kind,
            'o-' || (g / 3), %(day)s::date - 1095 + (g * 1095 / (1 + %(partners)s * %(sales)s))::int, 1 + pick(g, 16, 200),
            'Customer ' || pick(g, 17, 100000), 1 + pick(g, 18, 9), NULL, NULL,
            CASE WHEN kind = 'refund' THEN -1 ELSE 1 END * (5000 + pick(g, 19, 600000)) * 100, 'EUR', '', '', now(), now()
        FROM generate_series(1, %(partners)s::bigint * %(sales)s) g
        CROSS JOIN LATERAL (
            SELECT CASE WHEN pick(g, 15, 30) = 0 THEN 'refund' WHEN pick(g, 15, 8) = 1 THEN 'renewal' ELSE 'new' END AS kind
        ) kinds
    """,
    "locations": """
        INSERT INTO partners_location (partner_id, is_main, street, street2, postal_code, city, region, country, latitude,
            longitude, accuracy)
        SELECT 1 + (g - 1) / %(locations)s, g %% %(locations)s = 1, '', '', '', 'Town ' || town.id, '', town.country,
            town.latitude + (pick(g, 20, 2000) - 1000) / 5000.0, town.longitude + (pick(g, 21, 2000) - 1000) / 5000.0, 'city'
        FROM generate_series(1, %(partners)s * %(locations)s) g
        JOIN bench_town town ON town.id = 1 + floor(%(towns)s * power(pick(g, 22, 1000000) / 1e6::float8, 2))::int
    """,
}


def fill(*, partners: int, program_id: int) -> dict[str, int]:
    """Make the facts of that many partners in an empty database, and let it take its statistics; rows by table."""
    sizes = {
        "partners": partners, "program": program_id, "day": DAY, "sales": SALES, "members": MEMBERS,
        "certificates": CERTIFICATES, "locations": LOCATIONS, "towns": TOWNS,
    }  # fmt: skip
    rows = {}
    with connection.cursor() as cursor:
        cursor.execute(PICK)
        for name, sql in FILL.items():
            cursor.execute(sql, sizes)
            rows[name] = cursor.rowcount
        cursor.execute("VACUUM ANALYZE")
    return rows
