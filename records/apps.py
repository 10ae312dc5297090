from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    name = "records"
    verbose_name = _("Facts from elsewhere")

    def ready(self) -> None:
        from records import datasets, imports

        datasets.register()
        imports.register()
