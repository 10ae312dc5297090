"""Pages as their views answer them, through every middleware, and the locator beside SQL that uses the best index there is."""

import statistics
import time
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.periods import program_today
from locator import selectors
from partners.models import Member
from places.gazetteer import Place
from tiers.models import Program

PASSES = 15
SEARCHES = 100
WITHIN_KM = 100
NEAREST = 20
PAGES = {
    "program page": "/",
    "directory": "/partners/",
    "directory, by name": "/partners/?text=Partner+777",
    "directory, near Lyon": "/partners/?near=Lyon&country=FR",
    "points of the map": "/partners/points.json",
    "partner": "/partners/partner-777/",
    "portal home": "/portal/",
    "tier and requirements": "/portal/tier/",
    "leads": "/portal/leads/",
    "deals": "/portal/deals/",
}


def sign_in(*, pays: bool) -> Client:
    """A client signed in as a member of a partner that earns (where nothing is paid: sells) more often than 99 in 100 who do."""
    table = "commissions_earning" if pays else "leads_sale"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT partner_id FROM (SELECT partner_id, percent_rank() OVER (ORDER BY count(*)) AS rank "
            f"FROM {table} GROUP BY 1) sellers WHERE rank >= 0.99 ORDER BY rank, partner_id LIMIT 1"
        )
        (partner_id,) = cursor.fetchone()
    user = User.objects.create_user(email="owner@bench.example", password=None)
    first = Member.objects.filter(partner=partner_id).order_by("pk").values("pk")[:1]
    Member.objects.filter(pk__in=first).update(user=user, role=Member.Role.OWNER, left_on=None)
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="fr")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def addresses(*, pays: bool) -> dict[str, str]:
    """Addresses by what a reader knows them as; without those of statements where nothing is paid."""
    if not pays:
        return PAGES
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement.id FROM commissions_statement statement JOIN partners_member member USING (partner_id) "
            "WHERE user_id IS NOT NULL ORDER BY amount DESC LIMIT 1"
        )
        statement = cursor.fetchone()
    return {
        **PAGES,
        "statements": "/portal/statements/",
        "one statement": f"/portal/statements/{statement[0]}/",
        "sales": "/portal/statements/sales/",
    }


def time_pages(*, pays: bool) -> list[dict[str, Any]]:
    """Milliseconds at the median, and queries, of each page."""
    client = sign_in(pays=pays)
    rows = []
    for name, address in addresses(pays=pays).items():
        response = client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}.")
        with CaptureQueriesContext(connection):
            client.get(address)
            asked = len(connection.queries)
        took = []
        for _ in range(PASSES):
            started = time.perf_counter()
            client.get(address)
            took.append((time.perf_counter() - started) * 1000)
        rows.append({"page": name, "ms": statistics.median(took), "queries": asked})
    return rows


# The nearest listed partners of a tier within a radius, by the index of the earthdistance extension, which comes with
# PostgreSQL (PostGIS does not). Its earth is larger than the product's mean radius: `angle` is what both share.
EARTH = """
    SELECT partner.id, earth_distance(ll_to_earth(%(lat)s, %(lon)s), ll_to_earth(latitude, longitude)) AS far
    FROM partners_location location
    JOIN partners_partner partner ON partner.id = location.partner_id
    JOIN tiers_enrollment enrolled ON enrolled.partner_id = partner.id
    JOIN tiers_placement placement ON placement.enrollment_id = enrolled.id AND placement.ends_on IS NULL
    JOIN tiers_tier tier ON tier.id = placement.tier_id
    WHERE location.is_main AND partner.is_listed AND partner.status = 'active' AND tier.code = 'silver'
    AND earth_box(ll_to_earth(%(lat)s, %(lon)s), %(angle)s * earth()) @> ll_to_earth(latitude, longitude)
    AND earth_distance(ll_to_earth(%(lat)s, %(lon)s), ll_to_earth(latitude, longitude)) <= %(angle)s * earth()
    ORDER BY far LIMIT %(nearest)s
"""


def time_locator() -> dict[str, float]:
    """Milliseconds to find the nearest partners of one tier around towns: the product's and the index's, median and 95th."""
    program, today = Program.objects.get(slug="bench"), program_today()
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS earthdistance CASCADE")
        cursor.execute(
            "CREATE INDEX bench_earth ON partners_location USING gist (ll_to_earth(latitude, longitude)) WHERE is_main"
        )
        cursor.execute("ANALYZE partners_location")
        cursor.execute("SELECT latitude, longitude FROM bench_town ORDER BY id LIMIT %s", [SEARCHES])
        towns = cursor.fetchall()
        ours, theirs = [], []
        angle = WITHIN_KM / selectors.EARTH_KM
        for latitude, longitude in towns:
            near = Place("", "FR", "", latitude, longitude, 0)
            started = time.perf_counter()
            search = selectors.Search(tier="silver", near=near, within_km=WITHIN_KM)
            found = list(selectors.listed_partners(program, search, today)[:NEAREST])
            ours.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            cursor.execute(EARTH, {"lat": latitude, "lon": longitude, "angle": angle, "nearest": NEAREST})
            rows = cursor.fetchall()
            theirs.append((time.perf_counter() - started) * 1000)
            if len(rows) != len(found):
                raise SystemExit(f"Around {latitude}, {longitude}: {len(found)} partners, by the index {len(rows)}.")
        cursor.execute("DROP INDEX bench_earth")
    return {
        "ms": statistics.median(ours), "p95": statistics.quantiles(ours, n=20)[-1],
        "index_ms": statistics.median(theirs), "index_p95": statistics.quantiles(theirs, n=20)[-1],
    }  # fmt: skip
