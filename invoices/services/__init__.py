"""Every write of invoicing."""

from invoices.services.identities import decide_identity, record_identity, record_vendor_identity
from invoices.services.issuing import issue_for
from invoices.services.mandates import accept_mandate, publish_mandate_text, revoke_mandate
from invoices.services.uploads import decide_upload, send_invoice

__all__ = [
    "accept_mandate",
    "decide_identity",
    "decide_upload",
    "issue_for",
    "publish_mandate_text",
    "record_identity",
    "record_vendor_identity",
    "revoke_mandate",
    "send_invoice",
]
