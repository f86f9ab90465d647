"""What the twin is judged by, decided by method, path and body (issue 4, "Recordings as the judge")."""

import re
from urllib.parse import parse_qsl

from hourbook_simulators.conformance.recordings import Exchange

CATALOGUE = frozenset({"customers", "projects", "activities"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
PAGES = {
    "doc": "documentation page",
    "doc.json": "documentation page",
    "invoices": "invoices",
    "plugins": "plugins",
    "teams": "teams",
}
PARTS = {"meta": "meta fields", "rates": "rates", "team": "teams", "colors": "colours"}
PUNCH = "punch mode"
LEGACY = re.compile(r"x-?auth", re.IGNORECASE)
FIELD_AND_VALUE = re.compile(r'[^\s:"]+:[^\s"]*')


def why_out(exchange: Exchange, mode: str) -> str | None:
    """None: it is judged. `mode` is the tracking mode in which the instance was."""
    parts = exchange.route.lstrip("/").split("/")
    changes = exchange.method not in READS
    if parts[0] in PAGES:
        return PAGES[parts[0]]
    if parts[-1] in PARTS and len(parts) > 1:
        return PARTS[parts[-1]]
    if "rates" in parts:
        return PARTS["rates"]
    if changes and parts[0] in CATALOGUE:
        return "set-up: a change to customers, projects or activities"
    if changes and parts[0] == "users":
        return "users' administration"
    if exchange.token is None and is_legacy(exchange):
        return "legacy X-AUTH headers"
    if changes and parts[0] == "timesheets" and mode == "punch":
        return PUNCH
    if parts[0] == "timesheets" and _asks_meta_field(exchange):
        return PARTS["meta"]
    return None


def is_legacy(exchange: Exchange) -> bool:
    """Only the label says which headers were sent, and the answers that nothing else gets."""
    said = exchange.response.get("message", "") if isinstance(exchange.response, dict) else ""
    return (
        LEGACY.search(exchange.label) is not None
        or said == "Invalid credentials"
        or said.startswith("Authentication required, missing")
    )


def _asks_meta_field(exchange: Exchange) -> bool:
    """A word `name:value` of a term searches the meta field of that name (kimai-api.md 2.4)."""
    query = dict(parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True))
    return FIELD_AND_VALUE.search(query.get("term", "")) is not None
