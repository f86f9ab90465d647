"""For tests: a Zammad in memory, behind an httpx transport instead of a port."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hourbook_ingest_zammad.zammad import Zammad

BEGAN_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATHS = {
    "search": re.compile(r"/api/v1/tickets/search"),
    "states": re.compile(r"/api/v1/ticket_states"),
    "links": re.compile(r"/api/v1/links"),
    "settings": re.compile(r"/api/v1/settings"),
    "signshow": re.compile(r"/api/v1/signshow"),
    "ticket": re.compile(r"/api/v1/tickets/(\d+)"),
    "of_ticket": re.compile(r"/api/v1/tickets/(\d+)/time_accountings"),
    "all": re.compile(r"/api/v1/time_accountings"),
    "one": re.compile(r"/api/v1/time_accountings/(\d+)"),
}


@dataclass
class FakeZammad:
    """Holds tickets and their time; answers as zammad-api.md has it, or as `failing` says."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    accountings: dict[int, dict[str, Any]] = field(default_factory=dict)
    failing: dict[str, httpx.Response] = field(default_factory=dict)
    """By the names of PATHS, or `everything`."""
    latency_seconds: float = 0
    asked: int = 0
    """Calls that came, answered or not."""
    calls: Counter[str] = field(default_factory=Counter)
    at: datetime = BEGAN_AT
    next_id: int = 1
    unit: str = "minute"
    merged: dict[int, int] = field(default_factory=dict)
    during: Any = None
    """Called with the name of the path before each answer: what happens meanwhile."""

    def client(self, token: str = "token", secret: str | None = "secret") -> Zammad:  # noqa: S107 -- a fake has no secrets
        return Zammad("http://zammad.example", token, secret, httpx.MockTransport(self.answer))

    # ------------------------------------------------------------------------------ what agents do
    def open_ticket(self, ticket_id: int, title: str = "Printer on fire") -> None:
        self.tickets[ticket_id] = {
            "id": ticket_id,
            "number": f"{66000 + ticket_id}",
            "title": title,
            "organization_id": 4,
            "customer_id": 26,
            "group_id": 1,
            "state_id": 2,
            "updated_at": self._moment(pass_seconds=0),
        }

    def give(self, ticket_id: int, organization_id: int) -> None:
        self.tickets[ticket_id]["organization_id"] = organization_id
        self._touch(ticket_id)

    def merge(self, source_id: int, target_id: int) -> None:
        """Time stays where it was booked."""
        self.merged[source_id] = target_id
        self.tickets[source_id]["state_id"] = 5
        self._touch(source_id, target_id)

    def _touch(self, *ticket_ids: int) -> None:
        at = self._moment()
        for ticket_id in ticket_ids:
            self.tickets[ticket_id]["updated_at"] = at

    def book(self, ticket_id: int, units: str, type_id: int | None = None) -> int:
        if ticket_id not in self.tickets:
            self.open_ticket(ticket_id)
        accounting_id, self.next_id = self.next_id, self.next_id + 1
        self.accountings[accounting_id] = {
            "id": accounting_id,
            "ticket_id": ticket_id,
            "ticket_article_id": None,
            "time_unit": units,
            "type_id": type_id,
            "created_by_id": 3,
            "created_at": self._moment(),
            "updated_at": self._moment(pass_seconds=0),
        }
        self.tickets[ticket_id]["updated_at"] = self._moment(pass_seconds=0.005)
        return accounting_id

    def edit(self, accounting_id: int, units: str) -> None:
        self.accountings[accounting_id] |= {"time_unit": units, "updated_at": self._moment()}
        self._touch(self.accountings[accounting_id]["ticket_id"])

    def retype(self, accounting_id: int, type_id: int) -> None:
        """Its ticket is not touched (zammad-api.md 0.3)."""
        self.accountings[accounting_id] |= {"type_id": type_id, "updated_at": self._moment()}

    def delete(self, accounting_id: int) -> None:
        self._touch(self.accountings.pop(accounting_id)["ticket_id"])

    def delete_ticket(self, ticket_id: int) -> None:
        del self.tickets[ticket_id]
        for accounting_id in [
            i for i, row in self.accountings.items() if row["ticket_id"] == ticket_id
        ]:
            del self.accountings[accounting_id]

    def _moment(self, pass_seconds: float = 1) -> str:
        self.at += timedelta(seconds=pass_seconds)
        return self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # ---------------------------------------------------------------------------- what it answers
    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(self.latency_seconds)
        matches = {name: path.fullmatch(request.url.path) for name, path in PATHS.items()}
        name, match = next((n, match) for n, match in matches.items() if match)
        self.calls[name] += 1
        if self.during is not None:
            self.during(name)
        failure = self.failing.get(name) or self.failing.get("everything")
        if failure is not None:
            return httpx.Response(
                failure.status_code, content=failure.content, headers=failure.headers
            )
        if name == "search":
            return self._search(json.loads(request.content))
        return self._answer(name, int(match[1]) if match.groups() else 0, request.url.params)

    def _answer(self, name: str, thing: int, params: httpx.QueryParams) -> httpx.Response:
        match name:
            case "settings":
                unit = {"name": "time_accounting_unit", "state_current": {"value": self.unit}}
                return httpx.Response(200, json=[unit])
            case "states":
                return httpx.Response(200, json=[{"id": 5, "state_type_id": 6, "name": "merged"}])
            case "links":
                return self._links(int(params["link_object_value"]))
            case "ticket" if thing in self.tickets:
                return httpx.Response(200, json=self.tickets[thing])
            case "of_ticket" if thing in self.tickets:
                rows = [row for row in self.accountings.values() if row["ticket_id"] == thing]
                return self._list(rows, params)
            case "all":
                return self._list(list(self.accountings.values()), params)
            case "one" if thing in self.accountings:
                return httpx.Response(200, json=self.accountings[thing])
            case _:
                return _missing()

    def _search(self, question: dict[str, Any]) -> httpx.Response:
        since = question["condition"]["ticket.updated_at"]["value"]
        found = [row for row in self.tickets.values() if row["updated_at"] >= since]
        found.sort(key=lambda row: (row["updated_at"], row["id"]))
        if question["order_by"][0] == "desc":
            found.reverse()
        begins = (question["page"] - 1) * question["per_page"]
        return httpx.Response(200, json=found[begins : begins + question["per_page"]])

    def _links(self, ticket_id: int) -> httpx.Response:
        target = self.merged.get(ticket_id)
        if target is None:
            return httpx.Response(200, json={"links": [], "assets": {}})
        link = {"link_type": "parent", "link_object": "Ticket", "link_object_value": target}
        assets = {"Ticket": {str(target): self.tickets[target]}}
        return httpx.Response(200, json={"links": [link], "assets": assets})

    def _list(self, rows: list[dict[str, Any]], params: httpx.QueryParams) -> httpx.Response:
        per_page = min(1000, int(params.get("per_page", 500)))
        begins = (int(params.get("page", 1)) - 1) * per_page
        if "desc" in params.get("order_by", ""):
            rows = sorted(rows, key=lambda row: (row["updated_at"], row["id"]), reverse=True)
        else:
            rows = sorted(rows, key=lambda row: row["id"])
        shown = rows[begins : begins + per_page]
        if params.get("full") != "true":
            return httpx.Response(200, json=shown)
        assets = {"TicketTimeAccounting": {str(row["id"]): row for row in shown}}
        ids = [row["id"] for row in shown]
        return httpx.Response(
            200, json={"record_ids": ids, "assets": assets, "total_count": len(rows)}
        )


def _missing() -> httpx.Response:
    return httpx.Response(404, json={"error": "Couldn't find it"})
