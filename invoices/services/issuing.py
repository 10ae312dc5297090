"""Writing the documents: everything that many need is read at once, then each is numbered, made, checked and stored alone."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.models import User
from commissions.models import Earning, Statement, StatementLine
from common.pdf import PdfError
from common.periods import program_today
from common.templatetags import show
from invoices import facturx, printing, texts
from invoices import selectors as reads
from invoices.document import Corrected, Document, Kind, Line, Side, fits_the_norm, unit_of
from invoices.errors import InvalidDocumentError
from invoices.models import (  # fmt: skip
    Invoice,
    InvoiceFile,
    InvoiceSettings,
    Mandate,
    PartnerIdentity,
    Series,
    VendorIdentity,
    Waiting,
    reference,
)
from invoices.rules import Missing, Terms, tax_on
from journal import services as journal
from tiers import steps
from tiers.models import Program, Run

DOCUMENTS_A_CHUNK = 25
Reason = Waiting.Reason
Part = tuple[int | None, str, Decimal]  # program, kind of earning, amount


@dataclass(frozen=True, slots=True)
class Ready:
    """A document whose facts are all there; only its number and day are not."""

    statement: Statement
    kind: Kind
    seller: PartnerIdentity
    buyer: VendorIdentity
    mandate: Mandate
    terms: Terms
    parts: Sequence[Part]
    corrects: Sequence[Corrected]
    programs: dict[int, Program]


def issue_for(statements: Iterable[Statement], *, on: date, actor: User | None = None) -> dict[int, Invoice]:
    """Write the document of each of these statements that is due one, dated `on`; the latest of each, by statement.

    An approved statement of a partner whose mandate stood at its approval gets an invoice (a credit note where it comes to
    less than nothing); one that was cancelled or carried over after its invoice gets a credit note of all of it. Where none
    was ever due the key is absent. Repeating writes nothing more. A document is never dated before the one whose number
    precedes its own. What cannot be made is kept in `Waiting` with its reason, never raised: the night tries again.
    About ten queries for all and as many for each; most of the time is printing. Each document is a transaction of its own:
    called inside another, its locks last as long as that.
    """
    ids = [one.pk for one in statements]
    _write(ids, on=on, actor=actor)
    return {one.statement_id: one for one in Invoice.objects.filter(statement__in=ids).order_by("pk")}


def _write(ids: Collection[int], *, on: date, actor: User | None) -> int:
    """How many documents were written."""
    ready, reasons = _prepare(ids, on)
    days = InvoiceSettings.current().payment_days
    written = 0
    for place, one in enumerate(ready):
        try:
            written += _issue(one, on=on, days=days, actor=actor)
        except PdfError as error:
            # The machine lacks it for every document: no need to try each.
            reasons |= {left.statement.pk: (Reason.PRINTING, str(error)) for left in ready[place:]}
            break
        except InvalidDocumentError as error:
            reasons[one.statement.pk] = (Reason.INVALID, " · ".join(error.complaints))
    _keep_waiting(ids, reasons)
    return written


# --- Everything that many need ------------------------------------------------------------------------


def _prepare(ids: Collection[int], on: date) -> tuple[list[Ready], dict[int, tuple[str, str]]]:
    """What can be written, in the order of approval, and why the rest of what is due cannot be."""
    due = list(reads.to_document(on).filter(pk__in=ids).order_by("approved_at", "pk"))
    reasons: dict[int, tuple[str, str]] = {}
    if not due:
        return [], reasons
    keys, partner_ids = [one.pk for one in due], {one.partner_id for one in due}
    vendor = reads.vendor_identity(on)
    sellers = reads.identities(partner_ids, on)
    mandates = {one.partner_id: one for one in Mandate.objects.in_force_on(on).filter(partner__in=partner_ids)}
    originals = {
        one.statement_id: one
        for one in Invoice.objects.filter(statement__in=keys, kind=Kind.INVOICE.value).select_related(
            "seller", "buyer", "mandate"
        )
    }
    parts, corrected, programs = _parts(keys), _corrected(keys), Program.objects.in_bulk()
    ready = []
    for statement in due:
        original = originals.get(statement.pk)
        seller = original.seller if original else sellers.get(statement.partner_id)
        buyer = original.buyer if original else vendor
        why = _why_not(statement, seller, buyer)
        if why is not None or seller is None or buyer is None:
            reasons[statement.pk] = (str(why), "")
            continue
        terms = reads.terms_between(seller, buyer, _decided_on(statement, on))
        if isinstance(terms, Missing):
            reasons[statement.pk] = (Reason(terms.value), "")
            continue
        takes_back = original is not None or statement.net < 0
        kind = Kind.CREDIT_NOTE if takes_back else Kind.INVOICE
        one = Ready(
            statement, kind, seller, buyer, original.mandate if original else mandates[statement.partner_id], terms,
            parts[statement.pk],
            [Corrected(original.number, original.issued_on)] if original else corrected[statement.pk], programs,
        )  # fmt: skip
        tax = tax_on(abs(statement.net), terms.rate, unit_of(statement.currency))
        if tax != abs(statement.tax):
            reasons[statement.pk] = (Reason.TAX_DIFFERS, f"{tax} ≠ {abs(statement.tax)}")
            continue
        ready.append(one)
    return ready, reasons


def _why_not(statement: Statement, seller: PartnerIdentity | None, buyer: VendorIdentity | None) -> Reason | None:
    if buyer is None:
        return Reason.VENDOR
    if seller is None:
        return Reason.IDENTITY
    return None if fits_the_norm(statement.currency) else Reason.CURRENCY


def _decided_on(statement: Statement, on: date) -> date:
    """The day whose tax it bears: of its approval."""
    return timezone.localtime(statement.approved_at).date() if statement.approved_at else on


def _parts(keys: Collection[int]) -> dict[int, list[Part]]:
    """The sums of each statement's lines by program and kind. One query."""
    rows = (
        StatementLine.objects.filter(statement__in=keys)
        .order_by("statement", "earning__program", "earning__kind")
        .values_list("statement", "earning__program", "earning__kind")
        .annotate(Sum("earning__amount"))
    )
    parts: dict[int, list[Part]] = defaultdict(list)
    for statement_id, program_id, kind, amount in rows:
        if amount:
            parts[statement_id].append((program_id, kind, amount))
    return parts


def _corrected(keys: Collection[int]) -> dict[int, list[Corrected]]:
    """The earlier invoices that named the sales whose difference a statement bears now. One query."""
    earlier = "earning__sale__earnings__statement_line__statement"
    rows = (
        StatementLine.objects.filter(
            statement__in=keys, earning__number__gt=1, **{f"{earlier}__invoices__kind": Kind.INVOICE.value,
                                                         f"{earlier}__partner": F("statement__partner")},
        )
        .order_by("statement", f"{earlier}__invoices__issued_on", f"{earlier}__invoices__number")
        .values_list("statement", f"{earlier}__invoices__number", f"{earlier}__invoices__issued_on")
        .distinct()
    )  # fmt: skip
    found: dict[int, list[Corrected]] = defaultdict(list)
    for statement_id, number, issued_on in rows:
        found[statement_id].append(Corrected(number, issued_on))
    return found


# --- One document -------------------------------------------------------------------------------------


def _lines(ready: Ready) -> list[Line]:
    """One for each program and kind, then what came from other statements and what is held; in the active language."""
    statement = ready.statement
    month = show.month(statement.starts_on)
    named = [(_line_text(ready, program_id, kind, month), amount) for program_id, kind, amount in ready.parts]
    named += [
        (str(_("Carried over from earlier statements")), statement.opening),
        (str(_("Lines of earlier statements, answered since")), statement.released),
        (str(_("Lines in question, held back")), -statement.held),
    ]
    sign = -1 if statement.net < 0 else 1
    return [Line(text, sign * amount, ready.terms) for text, amount in named if amount]


def _line_text(ready: Ready, program_id: int | None, kind: str, month: str) -> str:
    label = str(Earning.Kind(kind).label)
    program = ready.programs.get(program_id) if program_id else None
    return f"{label} – {program}, {month}" if program else f"{label}, {month}"


def _side(identity: PartnerIdentity | VendorIdentity) -> Side:
    return Side(
        name=identity.name, street=identity.street, street2=identity.street2, postal_code=identity.postal_code,
        city=identity.city, country=identity.country, registration_number=identity.registration_number,
        establishment_number=identity.establishment_number, vat_number=identity.vat_number, legal_line=identity.legal_line,
    )  # fmt: skip


@transaction.atomic
def _issue(ready: Ready, *, on: date, days: int, actor: User | None) -> bool:
    """Take the next number, make the file, check it and store it, or none of this. False where it is no longer due."""
    # The statement is the lock of its document, the series that of its number: a document is written once, and its number
    # is given back with everything else where anything fails.
    statement = Statement.objects.select_for_update(no_key=True).get(pk=ready.statement.pk)
    if (
        statement.state != ready.statement.state
        or Invoice.objects.filter(statement=statement, kind=ready.kind.value).exists()
    ):
        return False
    partner_id = statement.partner_id
    Series.objects.get_or_create(partner_id=partner_id, kind=ready.kind.value, year=on.year)
    series = Series.objects.select_for_update().get(partner_id=partner_id, kind=ready.kind.value, year=on.year)
    series.last += 1
    issued_on = max(on, series.last_on or on)
    with override(ready.seller.language):
        document = Document(
            number=series.number(series.last), kind=ready.kind, issued_on=issued_on,
            due_on=issued_on + timedelta(days=days), starts_on=statement.starts_on, ends_on=statement.ends_on,
            currency=statement.currency, language=ready.seller.language, seller=_side(ready.seller),
            buyer=_side(ready.buyer), lines=_lines(ready), statement=reference(statement), corrects=ready.corrects,
        )  # fmt: skip
        content, against = _made(document, ready)
    sums = document.totals
    invoice = Invoice.objects.create(
        partner_id=partner_id, statement=statement, series=series, place=series.last, number=document.number,
        kind=ready.kind.value, issued_on=issued_on, due_on=document.due_on, currency=document.currency, net=sums.net,
        tax=sums.tax, gross=sums.gross, tax_category=ready.terms.category.value, tax_rate=ready.terms.rate,
        tax_mention=ready.terms.mention.value, language=document.language, seller=ready.seller, buyer=ready.buyer,
        mandate=ready.mandate, validated_against=against, sha256=hashlib.sha256(content).hexdigest(), size=len(content),
        made_by=actor,
    )  # fmt: skip
    InvoiceFile.objects.create(invoice=invoice, pdf=content)
    series.last_on = issued_on
    series.save(update_fields=["last", "last_on"])
    journal.record(
        verb="invoices.invoice.issued", subject=invoice, actor=actor, partner_id=partner_id,
        after={"number": invoice.number, "kind": ready.kind.name.lower(), "gross": str(invoice.gross),
               "currency": invoice.currency, "statement": statement.pk, "sha256": invoice.sha256},
    )  # fmt: skip
    return True


def _made(document: Document, ready: Ready) -> tuple[bytes, list[str]]:
    """The file, and what its XML was checked against; in the active language."""
    mandate_on = timezone.localtime(ready.mandate.accepted_at).date()
    notes = list(texts.notes(document, mandate_on=mandate_on, mentions=ready.buyer.mentions))
    reasons = texts.reasons([line.terms for line in document.lines])
    xml = facturx.xml_of(document, notes=notes, reasons=reasons)
    against = facturx.check(xml, is_french=document.is_french_both)
    return printing.pdf_of(document, xml=xml, notes=notes, reasons=reasons), against


# --- What waits, and the night ------------------------------------------------------------------------


def _keep_waiting(ids: Collection[int], reasons: dict[int, tuple[str, str]]) -> None:
    """Remember why each of `reasons` waits, and forget those of `ids` that do not."""
    Waiting.objects.filter(statement__in=ids).exclude(statement__in=reasons).delete()
    now = timezone.now()
    Waiting.objects.bulk_create(
        [Waiting(statement_id=pk, reason=reason, detail=detail, tried_at=now) for pk, (reason, detail) in reasons.items()],
        update_conflicts=True, unique_fields=["statement"], update_fields=["reason", "detail", "tried_at"],
    )  # fmt: skip


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Few statements in each: a chunk is one transaction, and a document takes a fraction of a second.

    What waited and is due no more (a mandate was revoked, the partner sent its own) is forgotten here.
    """
    Waiting.objects.exclude(statement__in=reads.to_document(_day(run)).values("pk")).delete()
    ids = reads.to_document(_day(run)).order_by("pk").values_list("pk", flat=True)
    return steps.ranges(ids.iterator(chunk_size=10_000), min(chunk_size, DOCUMENTS_A_CHUNK))


def work(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Write the documents that are due and not made: of new approvals, and of those that waited."""
    due = reads.to_document(_day(run)).filter(pk__range=bounds).only("pk")
    return {"invoices_made": _write([one.pk for one in due], on=_day(run), actor=None)}


def _day(run: Run) -> date:
    """A document is dated the day on which it is written, also where an earlier night is made up for."""
    return max(run.day, program_today())


def register() -> None:
    steps.register(steps.Step("invoices", _("Write invoices"), 60, cut, work, ("invoices_made",)))
