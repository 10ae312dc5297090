from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TiersConfig(AppConfig):
    name = "tiers"
    verbose_name = _("Program")

    def ready(self) -> None:
        from tiers import attestations, dry_run, held, notices, placing

        attestations.register()
        held.register()
        placing.register()
        dry_run.register()
        notices.register()
