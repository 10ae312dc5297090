"""Start-up checks: what this installation still lacks, named with what to do."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def production_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.ALLOWED_HOSTS:
        found.append(Error("ALLOWED_HOSTS is empty.", hint="Set it to the host names of this site.", id="program.E001"))
    if not settings.SITE_URL.startswith("https://"):
        found.append(Warning("SITE_URL is not https.", hint="Set SITE_URL to the public address.", id="program.W001"))
    if not settings.REDIS_URL:
        found.append(
            Warning("REDIS_URL is not set: jobs run inside web requests.", hint="Set REDIS_URL.", id="program.W002")
        )
    if not settings.EMAIL_URL:
        found.append(
            Warning("EMAIL_URL is not set: mails are written to files.", hint="Set EMAIL_URL.", id="program.W003")
        )
    if not settings.PAYEE_KEYS:
        found.append(
            Warning(
                "PAYEE_KEYS is not set: account numbers are sealed by a key made of SECRET_KEY, which then must not change.",
                hint="Set PAYEE_KEYS to a Fernet key (docs/payouts.md).", id="program.W005",
            )
        )  # fmt: skip
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning("The database is SQLite.", hint="Set DATABASE_URL to a PostgreSQL database.", id="program.W004")
        )
    return found
