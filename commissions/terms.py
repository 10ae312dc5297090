"""Terms that lines share, kept once."""

import json
from hashlib import sha256
from typing import Any

from django.db import connection

from commissions import reckoning
from commissions.models import Terms

LOCK = 7_251_002  # of transactions that add terms, so that two never wait for each other's
BATCH = 500


class TermsBook:
    """Keys of terms, by what they say; adds those that nobody needed before."""

    def __init__(self) -> None:
        self._known: dict[reckoning.Terms, tuple[int, str]] = {}

    def of(self, terms: reckoning.Terms) -> tuple[int, str]:
        """The key, and the digest of what it stands for."""
        found = self._known.get(terms)
        if found is None:
            found = self._known[terms] = _stored(terms)
        return found


def document(terms: reckoning.Terms) -> dict[str, Any]:
    return {"tried": [[code, outcome, list(held)] for code, outcome, held in terms.tried]} if terms.tried else {}


def digest(terms: reckoning.Terms) -> str:
    """Of everything that they say."""
    return digest_of(terms.plan_id, terms.tier_id, terms.rule, terms.reason, document(terms))


def digest_of(plan_id: int | None, tier_id: int | None, rule: str, reason: str, said: dict[str, Any]) -> str:
    return sha256(json.dumps([plan_id, tier_id, rule, reason, said], separators=(",", ":")).encode()).hexdigest()


def _stored(terms: reckoning.Terms) -> tuple[int, str]:
    own = digest(terms)
    found = Terms.objects.filter(digest=own).values_list("pk", flat=True).first()
    if found is None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        made, _created = Terms.objects.get_or_create(
            digest=own,
            defaults={
                "plan_id": terms.plan_id, "tier_id": terms.tier_id, "rule": terms.rule, "reason": terms.reason,
                "document": document(terms),
            },
        )  # fmt: skip
        found = made.pk
    return found, own
