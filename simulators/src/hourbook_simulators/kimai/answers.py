"""Answers as Kimai sends them: JSON without blanks, the same headers always, masked refusals."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hourbook_simulators.kimai.refusals import Refusal, masked
from hourbook_simulators.kimai.shape import as_json

HEADERS = {
    "Content-Language": "en",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "max-age=0, must-revalidate, private",
}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Page, X-Total-Count, X-Total-Pages, X-Per-Page",
}


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return raw(as_json(body), status, headers)


def raw(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    more = HEADERS | (headers or {})
    return Response(text, status_code=status, media_type="application/json", headers=more)


def nothing() -> Response:
    return Response(status_code=204, headers=HEADERS)


def refused(refusal: Refusal) -> Response:
    if refusal.body is None:
        return Response(status_code=refusal.status, headers=HEADERS | refusal.headers)
    return answer(refusal.body, refusal.status, refusal.headers)


async def of_no_route(request: Request, error: Exception) -> Response:
    """A browser's question before its request, a slash too many, and what nobody answers."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.url.path
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        return Response(media_type="text/html", headers=HEADERS | CORS)
    if status == 404 and path.startswith("/api/") and path.endswith("/"):  # noqa: PLR2004 -- no route
        return RedirectResponse(request.url.replace(path=path.rstrip("/")), status_code=301)
    refusal = masked(status)
    if isinstance(error, HTTPException):
        refusal.headers |= error.headers or {}
    return refused(refusal)
