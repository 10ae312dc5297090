from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from journal.notices import listen
        from notifications import notices, tasks

        notices.register()
        listen(tasks.tell_soon)
