from typing import Any

from django.core.management.base import BaseCommand

from payouts.services.accounts import reseal_all


class Command(BaseCommand):
    help = "Seal account numbers and bank files again under the first key of PAYEE_KEYS; then older keys can go."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reseal_all()} sealed again")
