from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommissionsConfig(AppConfig):
    name = "commissions"
    verbose_name = _("Money")

    def ready(self) -> None:
        from commissions import dry_run, earning, program_section, statements, what_if

        earning.register()
        statements.register()
        program_section.register()
        dry_run.register()
        what_if.register()
