from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoicing")

    def ready(self) -> None:
        from invoices import closing, papers, taxes
        from invoices.services import issuing

        issuing.register()
        closing.register()
        papers.register()
        taxes.register()
