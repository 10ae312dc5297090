"""Middleware of this site: probes that need no host name, and the content security policy by path."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from partner_program import celery


class ProbesMiddleware:
    """Answer `/healthz` (this process lives) and `/readyz` (it can serve) before anything else.

    They stand here, ahead of host checks and redirects, because a load balancer asks by address and over HTTP.
    `/readyz` is 503 with the failing part named while the database, its migrations or the broker are not there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return HttpResponse("ok", content_type="text/plain")
        if request.path == "/readyz":
            parts = {"database": _database(), "broker": _broker()}
            ready = all(state == "ok" for state in parts.values())
            return JsonResponse(parts, status=200 if ready else 503)
        return self.get_response(request)


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"cannot be reached: {error.__class__.__name__}"
    return f"{len(pending)} migrations wait: run manage.py migrate" if pending else "ok"


def _broker() -> str:
    if not settings.REDIS_URL:
        return "ok"
    try:
        celery.app.connection_for_write().ensure_connection(max_retries=1, timeout=2)
    except (OSError, celery.OperationalError) as error:
        return f"cannot be reached: {error.__class__.__name__}"
    return "ok"


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The strict policy everywhere, with the directives of CONTENT_SECURITY_POLICY_RELAXED below their path."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002  # the signature of django-csp
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, directives in settings.CONTENT_SECURITY_POLICY_RELAXED.items():
            if request.path.startswith(prefix):
                parts.replace = {**(parts.replace or {}), **directives}
        return parts
