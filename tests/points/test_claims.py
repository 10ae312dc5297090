"""Claims with evidence, adjustments, and who sees what of points through which door."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient
from time_machine import travel

from accounts.models import User
from common.errors import DocumentError
from journal.models import Entry
from points import services
from points.errors import AdjustmentError, ClaimError
from points.models import Claim, PointEntry
from tests.factories import make_portal_user, make_sale, make_staff
from tests.points.facts import enrolled, live, pointed_program, row, rule, run_night
from tiers import program_file
from tiers.models import Enrollment

pytestmark = pytest.mark.django_db
D = Decimal
TODAY, TOMORROW = date(2026, 2, 1), date(2026, 2, 2)
PDF = b"%PDF-1.7 evidence"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-02-01T10:00:00+01:00", tick=False):
        yield


@pytest.fixture
def owner() -> Enrollment:
    program = pointed_program(row(expires={"months": 12}), row("event", category="marketing", points="50"))
    return enrolled(program, name="Cycles Dupont")


def file(content: bytes = PDF, name: str = "evidence.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def office(inside: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr(inside, "x")
    return kept.getvalue()


def claim(owner: Enrollment, **over: Any) -> Claim:
    fields = {
        "enrollment": owner, "rule": rule(owner.program), "category": "", "title": "Studio in Lyon", "text": "Done.",
        "asked": D(300), "author": make_staff(), "send": True, **over,
    }  # fmt: skip
    return services.write_claim(**fields)


def test_an_approved_claim_posts_its_line_with_the_rows_expiry(owner: Enrollment) -> None:
    staff = make_staff()
    decided = services.decide_claim(claim=claim(owner), points=D(300), reason="", actor=staff)
    line = PointEntry.objects.get()
    assert (decided.state, decided.entry) == ("approved", line)
    assert (line.kind, line.points, line.category, line.source) == ("claim", D(300), "sites", "studio-site")
    assert (line.granted_on, line.expires_on, line.author) == (TODAY, date(2027, 2, 1), staff)
    assert (live(owner, TODAY), live(owner, TOMORROW)) == (0, 300)
    assert list(Entry.objects.order_by("pk").values_list("verb", flat=True))[-2:] == [
        "points.claim.submitted", "points.claim.approved"
    ]  # fmt: skip


def test_fewer_points_and_none_need_a_reason(owner: Enrollment) -> None:
    staff = make_staff()
    asked = claim(owner)
    for points in (D(100), D(0)):
        with pytest.raises(ClaimError, match="Say why"):
            services.decide_claim(claim=asked, points=points, reason=" ", actor=staff)
    with pytest.raises(ClaimError, match="between nothing and the 300 points"):
        services.decide_claim(claim=asked, points=D(301), reason="More", actor=staff)
    assert not PointEntry.objects.exists()
    assert services.decide_claim(claim=asked, points=D(100), reason="Helped only", actor=staff).state == "partly"
    with pytest.raises(ClaimError, match="does not wait"):
        services.decide_claim(claim=asked, points=D(100), reason="Again", actor=staff)
    refused = services.decide_claim(claim=claim(owner), points=D(0), reason="Not seen", actor=staff)
    assert (refused.state, refused.entry, PointEntry.objects.count()) == ("refused", None, 1)


def test_the_night_leaves_claims_and_adjustments_alone(owner: Enrollment) -> None:
    staff = make_staff()
    services.decide_claim(claim=claim(owner), points=D(300), reason="", actor=staff)
    services.adjust_points(enrollment=owner, points=D("-20.5"), category="sites", reason="Counted twice", author=staff)
    assert run_night(owner.program, TOMORROW).totals["points_posted"] == 0
    assert live(owner, TOMORROW) == D("279.5")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"points": D(0)}, "adds or takes"), ({"points": D("0.00001")}, "adds or takes"), ({"reason": " "}, "Say why"),
        ({"granted_on": TOMORROW}, "has come"), ({"expires_on": TODAY}, "expire after"),
    ],
)  # fmt: skip
def test_an_adjustment_says_something_and_why(owner: Enrollment, wrong: dict[str, Any], says: str) -> None:
    fields = {
        "enrollment": owner,
        "points": D(5),
        "category": "sites",
        "reason": "Fair",
        "author": make_staff(),
        **wrong,
    }
    with pytest.raises(AdjustmentError, match=says):
        services.adjust_points(**fields)
    assert not PointEntry.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evidence.pdf", b"<html>"), ("evidence.html", b"<html>"), ("evidence.svg", b"<svg>"), ("evidence", PDF),
        ("evidence.png", PDF), ("evidence.docx", b"PK\x03\x04 no archive"), ("evidence.docx", office("xl/workbook.xml")),
        ("evidence.pdf", b""),
    ],
)  # fmt: skip
def test_a_document_is_what_its_first_bytes_say(owner: Enrollment, name: str, content: bytes) -> None:
    with pytest.raises(DocumentError):
        claim(owner, document=file(content, name))
    assert not Claim.objects.exists()


def test_documents_are_kept_under_a_name_of_their_own(owner: Enrollment, settings: Any) -> None:
    kept = claim(owner, document=file(office("word/document.xml"), "../Évidence.docx"))
    assert (kept.document_name, kept.document.name.count("Évidence")) == ("Évidence.docx", 0)
    settings.DOCUMENT_MAX_BYTES = 10
    with pytest.raises(DocumentError, match="MB"):
        claim(owner, document=file())


# --- Portal ---------------------------------------------------------------------------------------


def signed_in(owner: Enrollment, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_portal_user(owner.partner, role=role))
    return client


def text(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(f"portal:{name}", args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_page_explains_every_line(owner: Enrollment) -> None:
    staff = make_staff()
    sale = make_sale(owner.partner, sold_on=date(2026, 1, 15))
    run_night(owner.program, TODAY)
    sale.delete()
    kept = make_sale(owner.partner, sold_on=date(2026, 1, 20))
    run_night(owner.program, TODAY)
    services.adjust_points(enrollment=owner, points=D(-20), category="sites", reason="Counted twice", author=staff)
    services.decide_claim(claim=claim(owner), points=D(100), reason="Helped only", actor=staff)
    page = text(signed_in(owner), "points")
    for said in (
        "It brings 300.", "What brought them is gone, or no longer counts. 300 had been granted before; now it is 0.",
        "Adjusted by hand: Counted twice", "300 asked for, 100 granted. Helped only", "Last day: 19 January 2027",
        '<p class="stat__value stat__value--large">350</p>', "counts from tomorrow", str(kept), "Approved in part",
    ):  # fmt: skip
        assert said in page, said


def test_a_claim_is_drafted_sent_and_no_longer_changed(owner: Enrollment) -> None:
    client, row_id = signed_in(owner, "technical"), rule(owner.program).pk
    filled = {"subject": f"row:{row_id}", "title": "Studio", "text": "", "asked": "1,250.5", "document": file()}
    kept = client.post(reverse("portal:claim-new"), {**filled, "keep": "1"})
    draft = Claim.objects.get()
    assert (kept.url, draft.state, draft.asked) == (reverse("portal:claim", args=[draft.pk]), "draft", D("1250.5"))  # type: ignore[attr-defined]
    assert "evidence.pdf" in text(client, "claim", draft.pk)
    again = {"subject": "category:marketing", "title": "Fair", "asked": "10", "send": "1"}
    client.post(reverse("portal:claim", args=[draft.pk]), again)
    draft.refresh_from_db()
    assert (draft.state, draft.rule, draft.category, draft.document_name) == (
        "submitted",
        None,
        "marketing",
        "evidence.pdf",
    )
    assert client.post(reverse("portal:claim", args=[draft.pk]), again).status_code == 403
    served = client.get(reverse("portal:claim-document", args=[draft.pk]))
    assert (b"".join(served), served["Content-Disposition"]) == (PDF, 'attachment; filename="evidence.pdf"')
    assert served["X-Content-Type-Options"] == "nosniff"


def test_a_refused_form_comes_back_filled(owner: Enrollment) -> None:
    bad = {"subject": "row:999999", "title": "Studio", "asked": "0", "document": file(b"<html>"), "send": "1"}
    answer = signed_in(owner).post(reverse("portal:claim-new"), bad)
    assert (answer.status_code, Claim.objects.count()) == (422, 0)
    assert answer.context["form"].errors.keys() == {"subject", "asked", "document"}


def test_finance_reads_points_and_does_not_claim(owner: Enrollment) -> None:
    client = signed_in(owner, "finance")
    assert "Claim points</a>" not in text(client, "points")
    assert client.get(reverse("portal:claim-new")).status_code == 403


def test_another_partners_claim_does_not_exist(owner: Enrollment) -> None:
    asked = claim(owner, document=file())
    other = signed_in(enrolled(owner.program))
    for name in ("claim", "claim-document"):
        assert other.get(reverse(f"portal:{name}", args=[asked.pk])).status_code == 404
    assert "Studio in Lyon" not in text(other, "points")


def test_the_menu_has_points_where_the_program_has_a_table(owner: Enrollment) -> None:
    without = signed_in(enrolled(pointed_program()))
    assert reverse("portal:points") in text(signed_in(owner), "home")
    assert reverse("portal:points") not in text(without, "home")


def test_the_page_costs_the_same_for_little_and_for_much(owner: Enrollment) -> None:
    other = enrolled(owner.program)
    make_sale(other.partner, sold_on=date(2026, 1, 2))
    for number in range(28):
        make_sale(owner.partner, sold_on=date(2026, 1, 2 + number))
        claim(owner)
    claim(other)
    run_night(owner.program, TODAY)
    counts = []
    for one in (other, owner):
        client = signed_in(one)
        with CaptureQueriesContext(connection) as captured:
            text(client, "points")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 20


# --- API ------------------------------------------------------------------------------------------


def ask(user: User, method: str, address: str, body: Any = None) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return getattr(client, method)(f"/api/v1/{address}", body, format="json")


def test_machines_read_what_is_theirs_and_staff_adjust(owner: Enrollment) -> None:
    staff, person = make_staff(), make_portal_user(owner.partner)
    stranger = make_portal_user(enrolled(owner.program).partner)
    body = {"enrollment": owner.pk, "points": "12.5", "category": "sites", "reason": "Fair"}
    assert ask(person, "post", "point-entries/", body).status_code == 403
    posted = ask(staff, "post", "point-entries/", body)
    assert (posted.status_code, posted.data["points"], posted.data["kind"]) == (201, "12.5000", "adjustment")
    assert ask(staff, "post", "point-entries/", {**body, "points": "0"}).data["code"] == "adjustment_invalid"
    claim(owner)
    for address in ("point-entries/", "claims/"):
        seen = [len(ask(user, "get", address).data["results"]) for user in (staff, person, stranger)]
        assert seen == [1, 1, 0]


# --- The file -------------------------------------------------------------------------------------


def document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    tiers = [{"code": "level-1", "name": {"en": "Level 1"}, "color": "#3d6a91"}]
    edition = {"name": "2026", "starts_on": "2026-01-01", "state": "published", "tiers": tiers}
    return {
        "slug": "resellers", "name": {"en": "Resellers"}, "currency": "EUR", "public": True, "editions": [edition],
        "points": rows,
    }  # fmt: skip


ROWS = [
    {"code": "site", "name": {"en": "Site", "fr": "Site"}, "category": "sites", "starts_on": "2026-01-01",
     "ends_on": "2027-01-01", "dataset": "sales", "filters": [{"field": "kind", "is": "in", "value": ["new", "renewal"]}],
     "each": "fact", "points": "300",
     "multipliers": [{"when": [{"field": "category", "value": "helper"}], "times": "0.5"}], "expires": {"months": 12},
     "at_most": {"occurrences": 1, "points": 300}},
    {"code": "revenue", "name": {"en": "Revenue"}, "category": "revenue", "starts_on": "2026-01-01", "dataset": "sales",
     "each": {"amount_of": "amount", "per": "2000"}, "points": 1, "expires": {"days": 31}},
    {"code": "tenure", "name": {"en": "Tenure"}, "category": "time", "starts_on": "2026-01-01",
     "each": {"day_of": "tenure"}, "points": "0.5"},
]  # fmt: skip


def test_a_table_comes_back_byte_for_byte() -> None:
    text = json.dumps(document(ROWS), indent=2, ensure_ascii=False) + "\n"
    program = program_file.import_program(text)
    assert json.dumps(program_file.dump(program)["points"]) == json.dumps(ROWS)
    program_file.import_program(text)
    assert json.dumps(program_file.dump(program)["points"]) == json.dumps(ROWS)


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"dataset": "nothing"}, "points[0].dataset: there is no dataset “nothing”"),
        ({"filters": [{"field": "color", "value": "red"}]}, "points[0].filters[0]"),
        ({"each": {"amount_of": "kind", "per": 5}}, "points[0].each.amount_of"),
        ({"ends_on": "2026-01-01"}, "points[0].ends_on: the row ends before it starts."),
        ({"points": "0.0001"}, "points[0].multipliers: multiplied points have more than four decimals."),
        ({"each": {"day_of": "tenure"}}, "points[0].dataset: days of tenure are counted without it."),
        ({"code": "revenue"}, "points[1]: two rows of “revenue” hold 2026-01-01: the earlier one needs an end."),
        ({"points": 0}, "points[0].points"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_its_place(over: dict[str, Any], says: str) -> None:
    with pytest.raises(program_file.ProgramFileError) as refused:
        program_file.import_program(json.dumps(document([{**ROWS[0], **over}, ROWS[1]])))
    assert any(says in problem for problem in refused.value.problems), refused.value.problems
