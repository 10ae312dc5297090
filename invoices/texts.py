"""The words of a document, in its own language: use inside `override(language)`."""

from collections.abc import Iterable, Iterator
from datetime import date

from django.utils.translation import gettext as _

from common.templatetags.show import day
from common.texts import Texts
from invoices.document import Document, Kind
from invoices.rules import Mention, Terms

Note = tuple[str, str]  # a code of UNTDID 4451, or "terms" for the terms of payment; and its words


def reasons(terms: Iterable[Terms]) -> dict[str, str]:
    """What the document says about its tax, by mention: the words that the law asks for."""
    own = next((one.exemption for one in terms if one.exemption), "")
    return {
        Mention.STANDARD: "",
        Mention.ZERO_RATED: "",
        Mention.SMALL: _("VAT exempt: small enterprise, art. 284 of Directive 2006/112/EC"),
        Mention.SMALL_FRANCE: _("TVA non applicable, art. 293 B du CGI"),
        Mention.EXEMPT: own,
        Mention.REVERSE_CHARGE: _(
            "Reverse charge: VAT is owed by the customer (art. 44 and 196 of Directive 2006/112/EC)"
        ),
        Mention.REVERSE_CHARGE_IMPORTED: _(
            "Supplier established outside the European Union: VAT is owed by the customer (art. 44 and 196 of Directive 2006/112/EC)"
        ),
        Mention.OUTSIDE: _(
            "Not subject to VAT: the service is supplied where the customer is established (art. 44 of Directive 2006/112/EC)"
        ),
    }


def title(kind: Kind) -> str:
    return _("Self-billed credit note") if kind == Kind.CREDIT_NOTE else _("Self-billed invoice")


def notes(document: Document, *, mandate_on: date, mentions: Texts) -> Iterator[Note]:
    """What stands at the end of the document, the terms of payment first."""
    if document.kind == Kind.CREDIT_NOTE and document.corrects:
        yield "terms", _("It takes back what it corrects: nothing of that is left to pay.")
    elif document.kind == Kind.CREDIT_NOTE:
        yield "terms", _("Set off against the next payment.")
    else:
        yield "terms", _("Paid by transfer, by %(day)s at the latest.") % {"day": day(document.due_on)}
    # Art. 226 (10a) of the Directive asks for the word; CGI ann. II art. 242 nonies A, I, 13° too.
    yield "AAI", _("Self-billing: issued by %(buyer)s in the name and on behalf of %(seller)s, under the mandate of %(day)s.") % {
        "buyer": document.buyer.name, "seller": document.seller.name, "day": day(mandate_on),
    }  # fmt: skip
    if document.is_french:  # Code de commerce, art. L441-9, L441-10 and D441-5
        yield (
            "PMD",
            _("Late payment: penalties at the rate of the European Central Bank’s latest refinancing plus 10 points."),
        )
        yield "PMT", _("Late payment: a fixed compensation of €40 for the costs of recovery.")
        yield "AAB", _("No discount for early payment.")
    if said := str(mentions):
        yield "", said
