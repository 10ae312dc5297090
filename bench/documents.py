"""Self-billed invoices per second: identities, mandates and approved statements of partners, and the documents for them.

`python -m bench.documents [HOW MANY]` times it in a scratch database on the server of DATABASE_URL.
"""

import os
import resource
import sys
import time
from typing import Any

DOCUMENTS = 200


def time_documents(count: int = DOCUMENTS) -> dict[str, Any]:
    """Documents made and stored by one process, by the clock and by its processor; what each costs in queries and bytes."""
    from django.db import connection
    from django.db.models import Avg
    from django.test.utils import CaptureQueriesContext

    from common.periods import program_today
    from invoices.models import Invoice
    from invoices.services import issue_for

    statements = _statements(count + 1)
    with CaptureQueriesContext(connection) as asked:
        issue_for(statements[:1], on=program_today())  # fonts, schema and rules are read once for each process
    started, used = time.perf_counter(), _processor()
    made = issue_for(statements[1:], on=program_today())
    seconds, processor = time.perf_counter() - started, _processor() - used
    if len(made) != count or Invoice.objects.filter(validated_against__contains=[]).count() != count + 1:
        raise SystemExit(f"{len(made)} of {count} documents were made.")
    size = Invoice.objects.aggregate(size=Avg("size"))["size"]
    return {"documents": count, "seconds": seconds, "processor": processor, "queries": len(asked), "bytes": float(size)}


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _statements(count: int) -> list[Any]:
    """Approved statements of as many French partners, each under a mandate; of lines that carry over 100 to 1,099 euros."""
    from datetime import date
    from decimal import Decimal

    from accounts.models import User
    from commissions.models import Statement
    from commissions.services import approve_statements, issue_statements
    from invoices import services
    from invoices.selectors import mandate_text
    from partners.models import Partner

    actor = User.objects.create_superuser("documents@bench.example", "unused", name="Bench")
    services.record_vendor_identity(fields=VENDOR, starts_on=date(2020, 1, 1), mentions={}, actor=actor)
    text = mandate_text()
    for number in range(count):
        partner = Partner.objects.create(
            external_id=f"documents-{number}", name=f"Partner {number}", slug=f"documents-{number}", joined_on=date(2020, 1, 1)
        )  # fmt: skip
        services.record_identity(partner=partner, fields=PARTNER, actor=actor)
        services.accept_mandate(partner=partner, text=text, language="fr", actor=actor)  # type: ignore[arg-type]
        amount = Decimal(100 + number % 1000)
        Statement.objects.create(
            partner=partner, starts_on=date(2026, 1, 1), ends_on=date(2026, 2, 1), currency="EUR", opening=amount,
            total=amount,
        )  # fmt: skip
    own = Statement.objects.filter(partner__external_id__startswith="documents-")
    issue_statements(seen=dict(own.values_list("pk", "total")), actor=actor)
    approve_statements(seen={one.pk: one.net for one in own}, actor=actor)
    return list(own)


VENDOR = {
    "name": "Bench SAS", "street": "1 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR",
    "registration_number": "123456782", "vat_number": "FR11123456782",
}  # fmt: skip
PARTNER = {
    **VENDOR, "name": "Cycles Bench SARL", "registration_number": "987654324", "vat_number": "FR14987654324",
    "tax_status": "normal", "language": "fr",
}  # fmt: skip


def main() -> None:
    from bench.databases import scratch_database

    count = int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS
    with scratch_database(os.environ["DATABASE_URL"], f"bench_documents_{os.getpid()}") as url:
        os.environ |= {"DATABASE_URL": url, "DEBUG": "false", "ALLOWED_HOSTS": "localhost", "REDIS_URL": "", "LOG_LEVEL": "ERROR",
                       "DJANGO_SETTINGS_MODULE": "partner_program.settings"}  # fmt: skip
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        print(said(time_documents(count)))
        connection.close()


def said(found: dict[str, Any]) -> str:
    return (
        f"self-billed invoices: {found['documents']} in {found['seconds']:.1f} s, {found['documents'] / found['seconds']:.1f} a second"
        f" ({found['documents'] / found['processor']:.1f} for each second of the processor); {found['bytes'] / 1000:.0f} kB and at most"
        f" {found['queries']} queries each"
    )


if __name__ == "__main__":
    main()
