"""What the admin's theme (django-unfold) asks for each page: title and sidebar. Its settings stand in settings.UNFOLD."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from partner_program import waiting


def _item(request: HttpRequest, title: str, icon: str, model: str, queue: str = "") -> dict[str, Any] | None:
    """A link to the list of `model` ("leads.lead") for who may see it, with how much waits in its queue."""
    app, name = model.split(".")
    if not request.user.has_perm(f"{app}.view_{name}"):
        return None
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{name}_changelist")}
    if queue and (count := waiting.count(request, queue)):
        item |= {"badge": count, "badge_variant": "danger" if queue == "nights" else "primary"}
    return item


def _group(title: str, *items: dict[str, Any] | None) -> dict[str, Any]:
    return {"title": title, "items": [item for item in items if item is not None]}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar of this reader: what they may see, by area."""

    def item(title: str, icon: str, model: str, queue: str = "") -> dict[str, Any] | None:
        return _item(request, title, icon, model, queue)

    return [
        {"items": [{"title": _("Home"), "icon": "home", "link": reverse("admin:index")}]},
        _group(
            _("Partners"),
            item(_("Partners"), "storefront", "partners.partner"),
            item(_("People"), "group", "partners.member"),
            item(_("Sponsors"), "diversity_3", "partners.sponsorship"),
            item(_("Certificates"), "workspace_premium", "training.certificate"),
            item(_("Attestations"), "verified", "tiers.attestation"),
            item(_("Awards"), "military_tech", "tiers.award"),
        ),
        _group(
            _("Leads and deals"),
            item(_("Leads"), "person_search", "leads.lead", "leads"),
            item(_("Deals"), "handshake", "leads.deal", "deals"),
            item(_("Sales"), "point_of_sale", "leads.sale"),
            item(_("Collections"), "payments", "leads.collection"),
            item(_("Products"), "inventory_2", "leads.product"),
        ),
        _group(
            _("Program"),
            item(_("Programs"), "flag", "tiers.program"),
            item(_("Editions"), "rule", "tiers.edition"),
            item(_("Dry runs"), "science", "tiers.dryrun"),
            item(_("Nights"), "bedtime", "tiers.run", "nights"),
            item(_("Placements"), "stairs", "tiers.placement"),
            item(_("Uses of benefits"), "redeem", "tiers.benefituse"),
            item(_("To confirm"), "how_to_reg", "tiers.proposal", "proposals"),
            item(_("In grace"), "hourglass_bottom", "tiers.grace"),
            item(_("Excuses and extensions"), "event_upcoming", "tiers.relief"),
        ),
        _group(
            _("Points"),
            item(_("Lines of points"), "stars", "points.pointentry"),
            item(_("Claims of points"), "add_task", "points.claim", "claims"),
            item(_("Points table"), "table_rows", "points.pointrule"),
        ),
        _group(
            _("Money"),
            item(_("Ledger"), "receipt_long", "commissions.earning"),
            item(_("Statements"), "request_quote", "commissions.statement", "statements"),
            item(_("Disputes"), "contact_support", "commissions.dispute", "disputes"),
            item(_("Adjustments"), "edit_note", "commissions.adjustment", "adjustments"),
            item(_("Earned nothing"), "money_off", "commissions.unpaid"),
            item(_("Commission plans"), "percent", "commissions.plan"),
            item(_("Dry runs of plans"), "science", "commissions.plantrial"),
            item(_("Accounts"), "account_balance", "commissions.accountcodes"),
            item(_("Exchange rates"), "currency_exchange", "rates.rate", "rates"),
            item(_("Settings of statements"), "tune", "commissions.statementsettings"),
            item(_("Self-billed invoices"), "receipt", "invoices.invoice"),
            item(_("Invoices that wait"), "pending_actions", "invoices.waiting", "invoices-waiting"),
            item(_("Invoices sent by partners"), "mark_email_unread", "invoices.uploadedinvoice", "invoices-sent"),
            item(_("Legal details"), "badge", "invoices.partneridentity", "identities"),
            item(_("Mandates"), "contract", "invoices.mandate"),
            item(_("Invoicing: own details"), "apartment", "invoices.vendoridentity"),
            item(_("Settings of invoicing"), "settings", "invoices.invoicesettings"),
        ),
        _group(
            _("Payouts"),
            item(_("Batches"), "payments", "payouts.payoutbatch", "payout-batches"),
            item(_("Payments"), "receipt", "payouts.payoutitem"),
            item(_("Payee accounts"), "account_balance", "payouts.payeeaccount", "payee-accounts"),
            item(_("Files of the bank"), "upload_file", "payouts.bankfile"),
            item(_("Payer accounts"), "account_balance_wallet", "payouts.payeraccount"),
        ),
        _group(
            _("Data"),
            item(_("Records"), "fact_check", "records.record"),
            item(_("Scores"), "speed", "records.score"),
            item(_("Plan targets"), "target", "records.plantarget"),
            item(_("Imports"), "upload_file", "imports.import", "imports"),
            item(_("Journal"), "history", "journal.entry"),
        ),
        _group(
            _("Messages"),
            item(_("Messages"), "mail", "notifications.message"),
            item(_("Deliveries"), "outgoing_mail", "notifications.delivery"),
            item(_("What people chose"), "tune", "notifications.preference"),
            item(_("Webhooks"), "webhook", "notifications.endpoint"),
            item(_("Calls of webhooks"), "sync_alt", "notifications.call"),
        ),
        _group(
            _("Users"),
            item(_("Users"), "badge", "accounts.user"),
            item(_("Groups"), "groups", "auth.group"),
            item(_("API tokens"), "key", "knox.authtoken"),
            item(_("Failed sign-ins"), "lock_clock", "axes.accessattempt"),
        ),
    ]


def site_title(request: HttpRequest) -> str:
    return f"{settings.VENDOR_NAME} · {_('Partner program')}"


def mark(request: HttpRequest) -> str:
    return static("img/mark.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("css/admin.css")
