"""How Zammad says no: the status, the two texts, X-Failure, and an HTML page for who does not ask for JSON (1.2)."""

import re
import zlib
from html import escape
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from hourbook_simulators.zammad.memory import Memory

BROWSER_LIKE = re.compile(r",\s*\*/\*|\*/\*\s*,")
FOR_RAILS = {b"<": b"\\u003c", b">": b"\\u003e", b"&": b"\\u0026"} | {
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}
SUCCESS = {
    "access-control-allow-origin": "*",
    "cache-control": "max-age=0, private, must-revalidate",
}
JSON = "application/json; charset=utf-8"
OTHER_TEXTS = {404: "Der Datensatz wurde nicht gefunden.", 422: "Die Anfrage ist ungültig."}
"""In case the texts are others than we know; whoever understands them reads the status."""


class Refusal(Exception):  # noqa: N818 -- an answer of Zammad's, not an error of ours
    """Zammad answers this; without `human` its text is for administrators only."""

    def __init__(self, status: int, text: str, *, human: bool = True) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.human = human


def forbidden(text: str = "Not authorized") -> Refusal:
    return Refusal(403, text)


def unprocessable(text: str) -> Refusal:
    return Refusal(422, text)


def not_found(kind: str, record_id: object, where: str = "") -> Refusal:
    return Refusal(404, f"Couldn't find {kind} with 'id'={record_id}{where}")


def no_route(memory: "Memory", method: str, path: str) -> Refusal:
    """A path nobody knows, or not with this method."""
    old = f"No route matches [{method}] {path}"
    return Refusal(404, old if memory.is_before(6, 5) else "This page doesn't exist.")


def written(body: Any) -> bytes:
    """As Rails writes JSON: what could end a script in a page is escaped, so no other writer gives these bytes."""
    text = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    for raw, escaped in FOR_RAILS.items():
        if raw in text:
            text = text.replace(raw, escaped)
    return text


def answer(body: Any, status: int = 200) -> Response:
    raw = written(body)
    headers = {**SUCCESS, "etag": f'W/"{zlib.crc32(raw):08x}"'}
    return Response(raw, status, headers=headers, media_type=JSON)


def refused(request: Request, refusal: Refusal) -> Response:
    memory: Memory = request.app.state.memory
    if memory.books.unknowns["texts"] == "other" and refusal.status in OTHER_TEXTS:
        refusal = Refusal(refusal.status, OTHER_TEXTS[refusal.status], human=refusal.human)
    headers = {"x-failure": refusal.text} if refusal.status in {401, 403} else {}
    if not _takes_json(request.headers.get("accept", "")):
        page = f"<!DOCTYPE html><title>{refusal.status}</title><h1>{escape(refusal.text)}</h1>"
        return HTMLResponse(page, refusal.status, headers)
    return Response(written(_texts(request, refusal)), refusal.status, headers, JSON)


def _texts(request: Request, refusal: Refusal) -> dict[str, str]:
    if refusal.human:
        return {"error": refusal.text, "error_human": refusal.text}
    if request.scope.get("zammad.admin"):
        return {"error": refusal.text}
    return {"error": "Error ID tW1n_0-x: Please contact your administrator."}


def _takes_json(accept: str) -> bool:
    """Rails: nothing at all, or what a browser sends, means HTML."""
    if not accept or BROWSER_LIKE.search(accept):
        return False
    return "json" in accept or "*/*" in accept
