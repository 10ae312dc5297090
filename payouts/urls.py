"""This app's pages in the portal."""

from django.urls import path

from payouts import portal

urlpatterns = [
    path("payouts/accounts/", portal.accounts, name="payee-accounts"),
    path("payouts/accounts/new/", portal.new_account, name="payee-account-new"),
    path("payouts/accounts/<int:pk>/withdraw/", portal.withdraw, name="payee-account-withdraw"),
    path("payouts/", portal.payments, name="payments"),
]
