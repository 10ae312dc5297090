"""What every endpoint shares: pages by cursor, and errors as problem details (RFC 9457)."""

from typing import Any

from rest_framework import status
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.errors import ProgramError


class Pages(CursorPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    ordering = "id"


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """A refusal is 409 with its code; the framework's own errors keep their status; anything else propagates."""
    if isinstance(error, ProgramError):
        body = {"type": "about:blank", "title": str(error), "status": 409, "code": error.code, **error.details}
        return Response(body, status=status.HTTP_409_CONFLICT, content_type="application/problem+json")
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data
        code = getattr(error, "default_code", "error")
        title = (
            str(detail["detail"])
            if isinstance(detail, dict) and "detail" in detail
            else str(getattr(error, "default_detail", error))
        )
        response.data = {"type": "about:blank", "title": title, "status": response.status_code, "code": code}
        if not (isinstance(detail, dict) and "detail" in detail):
            response.data["errors"] = detail
        response.content_type = "application/problem+json"
    return response
