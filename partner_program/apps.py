from django.apps import AppConfig, apps
from django.conf import settings

from common.naming import name_fields


class PartnerProgramConfig(AppConfig):
    name = "partner_program"

    def ready(self) -> None:
        from partner_program import checks  # registers the start-up checks

        own = [app for app in apps.get_app_configs() if app.path == str(settings.BASE_DIR / app.label)]
        name_fields(model for app in own for model in app.get_models())
