"""An exchange's request as it was sent: some of its headers only the rest of the exchange tells."""

import json
import re
from datetime import datetime, timedelta
from http.client import OK
from typing import Any

from hourbook_simulators.conformance.compare import restored
from hourbook_simulators.conformance.recordings import Exchange

PREFLIGHT = {
    "Origin": "https://client.example",
    "Access-Control-Request-Method": "GET",
}
WITHIN = timedelta(seconds=59)
FORM = re.compile(r"[\w\[\]]+=[^&]*(&[\w\[\]]+=[^&]*)*")


def headers_of(exchange: Exchange) -> dict[str, str]:
    sent = _credentials(exchange)
    if exchange.method == "OPTIONS" and exchange.status == OK:  # only a preflight gets it
        sent |= PREFLIGHT
    return sent


def _credentials(exchange: Exchange) -> dict[str, str]:
    """Without a token there were none, or some that nobody has: the answer to those is another."""
    if exchange.token is not None:
        return {"Authorization": f"Bearer tok_{exchange.token}"}
    if any(name.lower() == "www-authenticate" for name in exchange.headers):
        return {"Authorization": "Bearer tok_of_nobody"}
    label = exchange.label.lower()
    if "lower" in label:
        return {"Authorization": "bearer tok_user"}
    if "basic" in label:
        return {"Authorization": "Basic dXNlcjp1c2Vy"}
    return {}


def content_of(exchange: Exchange) -> dict[str, Any]:
    """As httpx takes it. A JSON object that was recorded as text had another content type."""
    body = restored(exchange.body)
    if body is None:
        return {}
    if not isinstance(body, str):
        return {"json": body}
    if FORM.fullmatch(body):
        kind = "application/x-www-form-urlencoded"
    elif body.startswith("<") or _is_object(body):
        kind = "text/plain"
    else:
        kind = "application/json"
    return {"content": body.encode(), "headers": {"Content-Type": kind}}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def told_time(exchange: Exchange) -> tuple[datetime, datetime] | None:
    """Between which moments the instance's clock stood, where the answer shows one nobody had sent.

    Whole minutes were rounded: a begin down, an end up.
    """
    shown = exchange.response
    body = exchange.body if isinstance(exchange.body, dict) else {}
    if exchange.status != OK or not isinstance(shown, dict):
        return None
    verb = exchange.route.rpartition("/")[2]
    try:
        if verb == "stop" and exchange.method == "PATCH":
            end = datetime.fromisoformat(shown["end"])
            return (end if end.second else end - WITHIN), end
        if (verb == "restart" or exchange.path == "/timesheets") and "begin" not in body:
            begin = datetime.fromisoformat(shown["begin"])
            return begin, (begin if begin.second else begin + WITHIN)
    except (KeyError, TypeError, ValueError):
        return None
    return None
