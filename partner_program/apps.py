from django.apps import AppConfig


class PartnerProgramConfig(AppConfig):
    name = "partner_program"

    def ready(self) -> None:
        from partner_program import checks  # registers the start-up checks
