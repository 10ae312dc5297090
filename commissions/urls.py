"""This app's pages in the portal."""

from django.urls import path

from commissions import portal

urlpatterns = [
    path("statements/", portal.statements, name="statements"),
    path("statements/<int:pk>/", portal.statement, name="statement"),
    path("statements/<int:pk>/statement.csv", portal.statement_csv, name="statement-csv"),
    path("statements/<int:pk>/statement.pdf", portal.statement_pdf, name="statement-pdf"),
    path("statements/<int:pk>/statement.xlsx", portal.statement_xlsx, name="statement-xlsx"),
    path("statements/lines/<int:pk>/", portal.earning, name="earning"),
    path("statements/lines/<int:pk>/question/", portal.new_dispute, name="dispute-new"),
    path("statements/disputes/", portal.disputes, name="disputes"),
    path("statements/disputes/<int:pk>/", portal.dispute, name="dispute"),
    path("statements/disputes/documents/<int:pk>/", portal.dispute_document, name="dispute-document"),
    path("statements/sales/", portal.sales, name="sales"),
]
