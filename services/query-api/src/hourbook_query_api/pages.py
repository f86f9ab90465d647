"""The pages of one build beside the API, on one port: what nginx does in containers (services/ui/nginx.conf)."""

import gzip
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOR_EVER = "public, max-age=31536000, immutable"
_SMALL = 1024
_TEXT = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")


class Pages:
    """Everything outside /api is a file of the build; what asks for a page and is no file is the page."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._api = app
        self._pages = _Files(directory=folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path == "/api" or path.startswith("/api/"):
            await self._api(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                for_ever = path.startswith("/assets/") and message["status"] == 200  # noqa: PLR2004 -- OK
                headers["Cache-Control"] = FOR_EVER if for_ever else "no-cache"
            await send(message)

        await self._pages(scope, receive, guarded)


class _Files(StaticFiles):
    """A missing chunk is missing: answered with the page, a browser would run it as a script."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except HTTPException as refused:
            answer = PlainTextResponse(refused.detail, refused.status_code, refused.headers)
            await answer(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Packed where the browser takes that; each file is packed once, not for each that asks."""
        found = await self._found(path, scope)
        if not isinstance(found, FileResponse) or found.stat_result is None:
            return found
        found.headers["Vary"] = "Accept-Encoding"
        takes = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        worth = found.media_type in _TEXT and found.stat_result.st_size >= _SMALL
        if not (takes and worth):
            return found
        packed = _packed(Path(found.path), found.stat_result.st_mtime_ns)
        kept = {name: found.headers[name] for name in ("ETag", "Last-Modified", "Vary")}
        headers = {"Content-Encoding": "gzip", **kept}
        return Response(packed, media_type=found.media_type, headers=headers)

    async def _found(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as missing:
            wants_page = "text/html" in Headers(scope=scope).get("accept", "")
            if missing.status_code != 404 or path.startswith("assets/") or not wants_page:  # noqa: PLR2004 -- not found
                raise
            return await super().get_response("index.html", scope)


@lru_cache(maxsize=512)
def _packed(file: Path, _changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)
