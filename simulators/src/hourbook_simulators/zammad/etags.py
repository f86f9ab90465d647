"""304 for whoever already has it: nobody has seen whether a token gets one (zammad-api.md 12.7)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hourbook_simulators.zammad.memory import Memory


class Etags:
    """Pure ASGI; costs nothing where no `If-None-Match` is sent."""

    def __init__(self, app: ASGIApp, memory: Memory) -> None:
        self.app = app
        self.memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = dict(scope.get("headers", ())).get(b"if-none-match")
        if wanted is None or not self.memory.books.unknowns["etags"]:
            await self.app(scope, receive, send)
            return
        unchanged = False

        async def answer(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                unchanged = message["status"] == 200 and headers.get(b"etag") == wanted  # noqa: PLR2004 -- HTTP's own
                if unchanged:
                    kept = [(b"etag", wanted), (b"content-length", b"0")]
                    message = {**message, "status": 304, "headers": kept}
            elif unchanged:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, answer)
