"""The models of invoicing, a file for each matter."""

from invoices.models.documents import DocumentKind, Invoice, InvoiceFile, Series, Waiting, reference
from invoices.models.identities import PartnerIdentity, VendorIdentity
from invoices.models.mandates import Mandate, MandateText
from invoices.models.settings import InvoiceSettings
from invoices.models.uploads import UploadedInvoice

__all__ = [
    "DocumentKind",
    "Invoice",
    "InvoiceFile",
    "InvoiceSettings",
    "Mandate",
    "MandateText",
    "PartnerIdentity",
    "Series",
    "UploadedInvoice",
    "VendorIdentity",
    "Waiting",
    "reference",
]
