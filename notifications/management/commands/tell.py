from typing import Any

from django.core.management.base import BaseCommand

from notifications import sending, telling, webhooks


class Command(BaseCommand):
    help = "Read the journal on, and send every mail, digest and webhook that is due. For where no broker runs."

    def handle(self, *args: Any, **options: Any) -> None:
        told, called = telling.tell_people(), webhooks.queue_calls()
        mails = digests = calls = 0
        while sent := sending.send_mails():
            mails += sent
        while sending.send_digest():
            digests += 1
        for endpoint in webhooks.endpoints_due():
            calls += webhooks.call_endpoint(endpoint)
        self.stdout.write(
            f"{told} entries told, {called} looked at for webhooks; {mails} mails, {digests} digests, {calls} calls tried."
        )
