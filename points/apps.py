from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PointsConfig(AppConfig):
    name = "points"
    verbose_name = _("Points")

    def ready(self) -> None:
        from points import datasets, granting, notices, program_section

        datasets.register()
        granting.register()
        program_section.register()
        notices.register()
