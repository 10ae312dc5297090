from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommissionsConfig(AppConfig):
    name = "commissions"
    verbose_name = _("Money")

    def ready(self) -> None:
        from commissions import (
            adjusters,
            closing,
            dry_run,
            earning,
            notices,
            program_section,
            reviews,
            services,
            statements,
            touching,
            what_if,
        )

        touching.watch(self)
        adjusters.register_adjuster(services.post_adjustment)
        earning.register()
        statements.register()
        reviews.register()
        closing.register()
        program_section.register()
        dry_run.register()
        what_if.register()
        notices.register()
