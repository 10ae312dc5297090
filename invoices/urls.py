"""This app's pages in the portal."""

from django.urls import path

from invoices import portal

urlpatterns = [
    path("invoicing/", portal.invoicing, name="invoicing"),
    path("invoicing/legal-details/", portal.identity, name="invoicing-identity"),
    path("invoicing/mandate/", portal.mandate, name="invoicing-mandate"),
    path("invoicing/send/", portal.send, name="invoicing-send"),
    path("invoicing/documents/<int:pk>/", portal.document, name="invoicing-document"),
    path("invoicing/sent/<int:pk>/", portal.sent_document, name="invoicing-sent-document"),
]
