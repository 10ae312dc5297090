"""Each audience against each address. An address that no table here names fails the test: whoever adds a page says who sees it."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from commissions.models import Earning, Statement
from commissions.plan_documents import by_tier
from commissions.services import open_dispute, publish_plan, withdraw_dispute
from common.periods import program_today
from journal import notices
from journal import services as journal
from notifications.mailing import token_for
from notifications.models import Delivery
from points.models import PointEntry
from points.services import write_claim
from tests.factories import (
    make_certificate,
    make_collection,
    make_location,
    make_member,
    make_portal_user,
    make_sale,
    make_user,
)
from tests.invoices.facts import some_documents
from tests.leads.facts import make_world, registered, written
from tests.payouts.facts import one_of_each
from tests.points.facts import row, set_rows
from tests.rates.facts import make_rate
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers.models import Enrollment, Evaluation, Measure, Placement
from tiers.services import attest, use_benefit

AUDIENCES = ("nobody", "member", "stranger", "lost", "staff")
"""Nobody signed in; a member of the partner whose rows these are; a member of another; a login of no partner; staff."""

IN, SIGN_IN, ADMIN, HIDDEN, CLOSED, UNSIGNED = 200, "sign-in", "admin", 404, 403, 401
OPEN = dict.fromkeys(AUDIENCES, IN)
PORTAL = {"nobody": SIGN_IN, "member": IN, "stranger": IN, "lost": CLOSED, "staff": ADMIN}
OWN = {**PORTAL, "stranger": HIDDEN}
SIGNED_IN = {**OPEN, "nobody": SIGN_IN}
MACHINES = {**OPEN, "nobody": UNSIGNED}
OWN_MACHINES = {"nobody": UNSIGNED, "member": IN, "stranger": HIDDEN, "lost": HIDDEN, "staff": IN}
STAFF_MACHINES = {**dict.fromkeys(AUDIENCES, CLOSED), "nobody": UNSIGNED, "staff": IN}
WRITE_ONLY = dict.fromkeys(AUDIENCES, 405)

PAGES: dict[str, dict[str, Any]] = {
    "locator:program": OPEN,
    "locator:program-page": OPEN,
    "locator:estimate": OPEN,
    "locator:directory": OPEN,
    "locator:points": OPEN,
    "locator:partner": OPEN,
    "locator:contact": OPEN,
    "locator:robots": OPEN,
    "locator:sitemap": OPEN,
    "portal:home": PORTAL,
    "portal:tier": PORTAL,
    "portal:tier-facts": PORTAL,
    "portal:tier-what-if": PORTAL,
    "portal:points": PORTAL,
    "portal:claim-new": PORTAL,
    "portal:claim": OWN,
    "portal:claim-document": OWN,
    "portal:leads": PORTAL,
    "portal:lead": OWN,
    "portal:deals": PORTAL,
    "portal:deal-new": PORTAL,
    "portal:deal": OWN,
    "portal:statements": PORTAL,
    "portal:statement": OWN,
    "portal:statement-csv": OWN,
    "portal:statement-pdf": OWN,
    "portal:statement-xlsx": OWN,
    "portal:earning": OWN,
    "portal:disputes": PORTAL,
    "portal:dispute": OWN,
    "portal:dispute-document": OWN,
    "portal:dispute-new": OWN,
    "portal:sales": PORTAL,
    "portal:notices": PORTAL,
    "portal:notice": {**PORTAL, "member": "/portal/tier/", "stranger": HIDDEN},
    "portal:notice-preferences": PORTAL,
    "notifications:unsubscribe": OPEN,
    "portal:invoicing": PORTAL,
    "portal:invoicing-identity": PORTAL,
    "portal:invoicing-mandate": PORTAL,
    "portal:invoicing-send": PORTAL,
    "portal:invoicing-document": OWN,
    "portal:invoicing-sent-document": OWN,
    "portal:payments": PORTAL,
    "portal:payee-accounts": PORTAL,
    "portal:payee-account-new": PORTAL,
    "portal:payee-account-withdraw": WRITE_ONLY,
    "accounts:sign-in": {**OPEN, "member": "/portal/", "stranger": "/portal/", "lost": "/portal/", "staff": "/portal/"},
    "accounts:sign-out": WRITE_ONLY,
    "accounts:password-change": SIGNED_IN,
    "accounts:password-changed": SIGNED_IN,
    "accounts:password-reset": OPEN,
    "accounts:password-reset-sent": OPEN,
    "accounts:password-set": OPEN,
    "accounts:password-set-done": OPEN,
    "theme": WRITE_ONLY,
    "set_language": dict.fromkeys(AUDIENCES, "/"),
    "api:token-new": {**WRITE_ONLY, "nobody": UNSIGNED, "member": UNSIGNED, "stranger": UNSIGNED, "lost": UNSIGNED,
                      "staff": UNSIGNED},  # a token takes a password
    "api:token-revoke": {**dict.fromkeys(AUDIENCES, UNSIGNED)},  # and a token
    "api:schema": OPEN,
    "api:docs": OPEN,
    "api:api-root": MACHINES,
    "api:partner-list": MACHINES,
    "api:partner-detail": OWN_MACHINES,
    "api:member-list": MACHINES,
    "api:member-detail": OWN_MACHINES,
    "api:program-list": MACHINES,
    "api:program-detail": MACHINES,
    "api:edition-list": MACHINES,
    "api:plan-list": MACHINES,
    "api:plan-detail": MACHINES,
    "api:edition-detail": MACHINES,
    "api:program-schema-list": OPEN,
    "api:estimate-list": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:enrollment-list": MACHINES,
    "api:enrollment-detail": OWN_MACHINES,
    "api:enrollment-benefits": OWN_MACHINES,
    "api:attestation-list": MACHINES,
    "api:attestation-detail": OWN_MACHINES,
    "api:attestation-document": OWN_MACHINES,
    "api:benefituse-list": MACHINES,
    "api:benefituse-detail": OWN_MACHINES,
    "api:benefituse-take-back": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:placement-list": MACHINES,
    "api:placement-detail": OWN_MACHINES,
    "api:evaluation-list": MACHINES,
    "api:evaluation-detail": OWN_MACHINES,
    "api:evaluation-explanation": OWN_MACHINES,
    "api:record-list": MACHINES,
    "api:record-detail": OWN_MACHINES,
    "api:score-list": MACHINES,
    "api:score-detail": OWN_MACHINES,
    "api:award-list": MACHINES,
    "api:award-detail": OWN_MACHINES,
    "api:plantarget-list": MACHINES,
    "api:plantarget-detail": OWN_MACHINES,
    "api:exchangerate-list": MACHINES,
    "api:exchangerate-detail": MACHINES,
    "api:certificate-list": MACHINES,
    "api:certificate-detail": OWN_MACHINES,
    "api:pointentry-list": MACHINES,
    "api:pointentry-detail": OWN_MACHINES,
    "api:claim-list": MACHINES,
    "api:claim-detail": OWN_MACHINES,
    "api:lead-list": MACHINES,
    "api:lead-detail": OWN_MACHINES,
    "api:lead-accept": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:lead-decline": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:deal-list": MACHINES,
    "api:deal-detail": OWN_MACHINES,
    "api:deal-approve": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:deal-refuse": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:deal-win": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:deal-lose": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:sale-list": MACHINES,
    "api:sale-detail": OWN_MACHINES,
    "api:sale-restore": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:sale-splits": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:collection-list": MACHINES,
    "api:collection-detail": OWN_MACHINES,
    "api:earning-list": MACHINES,
    "api:earning-detail": OWN_MACHINES,
    "api:statement-list": MACHINES,
    "api:statement-detail": OWN_MACHINES,
    "api:payoutitem-list": MACHINES,
    "api:payoutitem-detail": OWN_MACHINES,
    "api:payeeaccount-list": MACHINES,
    "api:payeeaccount-detail": OWN_MACHINES,
    "api:payoutbatch-list": STAFF_MACHINES,
    "api:payoutbatch-detail": STAFF_MACHINES,
    "api:payoutbatch-file": STAFF_MACHINES,
    "api:bankfile-list": STAFF_MACHINES,
    "api:bankfile-detail": STAFF_MACHINES,
    "api:statement-lines": OWN_MACHINES,
    "api:dispute-list": MACHINES,
    "api:dispute-detail": OWN_MACHINES,
    "api:dispute-withdraw": {**WRITE_ONLY, "nobody": UNSIGNED},
    "api:invoice-list": MACHINES,
    "api:invoice-detail": OWN_MACHINES,
    "api:invoice-document": OWN_MACHINES,
    "api:uploadedinvoice-list": MACHINES,
    "api:uploadedinvoice-detail": OWN_MACHINES,
    "api:uploadedinvoice-document": OWN_MACHINES,
}  # fmt: skip


def addresses(resolver: URLResolver | Any = None, space: str = "") -> Iterator[str]:
    """The name of every address outside the admin (tests/admin walks that)."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from addresses(pattern, pattern.namespace or space)
        elif isinstance(pattern, URLPattern) and "<drf_format_suffix" not in str(pattern.pattern):
            yield f"{space}:{pattern.name}" if space else str(pattern.name)


def test_every_address_is_in_the_table() -> None:
    assert sorted(set(addresses())) == sorted(PAGES)


@pytest.fixture
def world(transactional_db: None) -> dict[str, Any]:
    made = make_world()
    partner, today = made.near, program_today()
    make_location(partner)
    member = make_member(partner)
    certificate = make_certificate(member)
    sale = make_sale(partner, sold_on=date(2026, 3, 1), amount=Decimal(1000), currency="EUR")
    publish_plan(
        program=made.program,
        name={"en": "Plan"},
        starts_on=date(2026, 1, 1),
        definition=by_tier({"level-2": Decimal("0.1")}),
    )
    lead, deal = written(partner), registered(made)
    assert set_rows(made.program, row()) == []
    claim = write_claim(
        enrollment=Enrollment.objects.get(partner=partner), rule=None, category="sites", title="Studio", text="",
        asked=Decimal(10), author=made.person, document=SimpleUploadedFile("evidence.pdf", b"%PDF-"), send=True,
    )  # fmt: skip
    enrollment = Enrollment.objects.get(partner=partner)
    use = use_benefit(enrollment=enrollment, code="lead-sharing", on=today)
    attestation = attest(
        enrollment=enrollment, kind="audit", title="Audit", starts_on=today,
        document=SimpleUploadedFile("audit.pdf", b"%PDF-"),
    )  # fmt: skip
    call_command("night", "--as-of", today.isoformat())
    earning = Earning.objects.get()
    dispute = open_dispute(
        earning=earning, category="other", text="Why?", actor=made.person,
        document=SimpleUploadedFile("evidence.pdf", b"%PDF-"),
    )  # fmt: skip
    withdraw_dispute(dispute=dispute, actor=made.person)  # or asking about its line again leads there
    journal.record(
        verb="tiers.placement.changed", subject=enrollment, partner_id=partner.pk, before={"tier": "level-1"},
        after={"tier": "level-2", "on": today.isoformat(), "reason": "earned"},
    )  # fmt: skip
    owned = {
        "api:partner-detail": partner.pk,
        "api:member-detail": member.pk,
        "api:placement-detail": Placement.objects.filter(enrollment__partner=partner).latest("pk").pk,
        **dict.fromkeys(
            ["api:evaluation-detail", "api:evaluation-explanation"],
            Evaluation.objects.get(enrollment__partner=partner).pk,
        ),
        "api:edition-detail": made.program.editions.get().pk,
        "api:plan-detail": made.program.plans.get().pk,
        **dict.fromkeys(["api:enrollment-detail", "api:enrollment-benefits"], enrollment.pk),
        **dict.fromkeys(["api:attestation-detail", "api:attestation-document"], attestation.pk),
        **dict.fromkeys(["api:benefituse-detail", "api:benefituse-take-back"], use.pk),
        "api:certificate-detail": certificate.pk,
        "api:record-detail": make_record(partner).pk,
        "api:score-detail": make_score(partner).pk,
        "api:award-detail": make_award(partner).pk,
        "api:plantarget-detail": make_target(partner).pk,
        "api:exchangerate-detail": make_rate().pk,
        **dict.fromkeys(["api:sale-detail", "api:sale-restore", "api:sale-splits"], sale.pk),
        "api:collection-detail": make_collection(sale).pk,
        "api:pointentry-detail": PointEntry.objects.latest("pk").pk,
        **dict.fromkeys(["portal:claim", "portal:claim-document", "api:claim-detail"], claim.pk),
        **dict.fromkeys(["portal:lead", "api:lead-detail", "api:lead-accept", "api:lead-decline"], lead.pk),
        **dict.fromkeys(
            ["portal:deal", "api:deal-detail", "api:deal-approve", "api:deal-refuse", "api:deal-win", "api:deal-lose"],
            deal.pk,
        ),
        **dict.fromkeys(["portal:earning", "portal:dispute-new", "api:earning-detail"], earning.pk),
        **dict.fromkeys(["portal:dispute", "api:dispute-detail", "api:dispute-withdraw"], dispute.pk),
        "portal:dispute-document": dispute.messages.get().pk,
        **dict.fromkeys(
            [
                "portal:statement",
                "portal:statement-csv",
                "portal:statement-pdf",
                "portal:statement-xlsx",
                "api:statement-detail",
                "api:statement-lines",
            ],
            Statement.objects.get().pk,
        ),
        "portal:tier-facts": Measure.objects.get().pk,
        "portal:notice": Delivery.objects.filter(user=made.person, channel="portal").latest("pk").pk,
    }
    invoice, sent = some_documents(partner)
    owned |= dict.fromkeys(["portal:invoicing-document", "api:invoice-detail", "api:invoice-document"], invoice.pk)
    owned |= dict.fromkeys(
        ["portal:invoicing-sent-document", "api:uploadedinvoice-detail", "api:uploadedinvoice-document"], sent.pk
    )
    paid = one_of_each(partner, made.staff)
    owned |= {f"api:{name}-detail": pk for name, pk in paid.items()}
    owned |= {"api:payoutbatch-file": paid["payoutbatch"], "portal:payee-account-withdraw": paid["payeeaccount"]}
    kwargs: dict[str, dict[str, Any]] = {
        name: {"measure_id" if name == "portal:tier-facts" else "pk": pk} for name, pk in owned.items()
    }
    kwargs |= dict.fromkeys(["locator:partner", "locator:contact"], {"slug": partner.slug})
    kwargs |= dict.fromkeys(
        ["locator:program-page", "locator:estimate", "api:program-detail"], {"slug": made.program.slug}
    )
    kwargs["notifications:unsubscribe"] = {"token": token_for(made.person, notices.kinds()[0])}
    kwargs["accounts:password-set"] = {"uidb64": "MQ", "token": "set-password"}
    users = {
        "nobody": None, "member": made.person, "stranger": make_portal_user(made.low), "lost": make_user(),
        "staff": made.staff,
    }  # fmt: skip
    return {"kwargs": kwargs, "users": users}


@pytest.mark.parametrize("audience", AUDIENCES)
def test_each_address_answers_each_audience_as_it_should(world: dict[str, Any], audience: str) -> None:
    wrong = []
    for name, expected in PAGES.items():
        client = Client()
        if world["users"][audience] is not None:
            client.force_login(world["users"][audience])
        answer = client.get(reverse(name, kwargs=world["kwargs"].get(name)))
        if not _fits(answer, expected[audience]):
            wrong.append((name, expected[audience], answer.status_code, answer.headers.get("Location")))
    assert wrong == []


def _fits(answer: Any, expected: Any) -> bool:
    if isinstance(expected, int):
        return bool(answer.status_code == expected)
    target = {SIGN_IN: "/accounts/sign-in/", ADMIN: "/admin/"}.get(expected, expected)
    return answer.status_code == 302 and answer.headers["Location"].split("?")[0] == target
