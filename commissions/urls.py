"""This app's pages in the portal."""

from django.urls import path

from commissions import portal

urlpatterns = [
    path("statements/", portal.statements, name="statements"),
    path("statements/<int:pk>/", portal.statement, name="statement"),
    path("statements/<int:pk>/statement.csv", portal.statement_csv, name="statement-csv"),
    path("statements/lines/<int:pk>/", portal.earning, name="earning"),
    path("statements/sales/", portal.sales, name="sales"),
]
