"""What a real Zammad 6.2.0 answered has the keys and types of what its twin answers (recordings/zammad)."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hourbook_simulators.zammad.in_process import Twin, opened

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[1] / "recordings/zammad"
NOT_SERVED = re.compile(
    r"\w+ /(tags|tag_list|tag_search|ticket_history|ticket_attachment|links/remove)\b"
    r"|(POST|DELETE) /(users|organizations)\b"
)
"""What Hourbook never asks."""
FREE = frozenset({"preferences", "attachments", "group_ids"})
"""Whatever stands in there."""
REMOVABLE = frozenset(
    {
        *("web", "phone", "fax", "mobile", "department", "street", "zip", "city", "country"),
        *("address", "note"),
    }
)
"""What one of the recorded instances had taken out of its users."""
Answers = dict[str, list[Any]]


def named(method: str, url: str) -> str:
    """`GET /tickets/N?expand=true`: without ids, pages and what is off."""
    path, _, query = url.partition("?")
    shown = [each for each in query.split("&") if each in {"expand=true", "full=true", "all=true"}]
    path = re.sub(r"/\d+", "/N", path.removesuffix("/")) + ("?" + "&".join(shown) if shown else "")
    return f"{method} {path or '/'}"


def recorded() -> Iterator[tuple[str, str, int, Any]]:
    for path in sorted(FOLDER.glob("*.json")):
        for number, row in enumerate(json.loads(path.read_bytes())):
            url = row["url"].removesuffix("#fixture").removeprefix("/api/v1")
            name = named(row["method"], url)
            if NOT_SERVED.match(name) is None:
                yield f"{path.stem}-{number}", name, row["status"], row["body"]


class Story:
    """Asks the twin as the recorded client asked, and keeps every answer."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.answers: Answers = defaultdict(list)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.twin.ask(method, path, body)
        is_json = answer.headers["content-type"].startswith("application/json")
        shown = answer.json() if is_json and answer.text else answer.text
        self.answers[f"{named(method, path)} {answer.status_code}"].append(shown)
        return shown

    async def tell(self) -> Answers:
        customers = {
            user.organization_id: user.id for user in self.twin.memory.books.users.values()
        }
        member = next(user for organization, user in customers.items() if organization is not None)
        tickets = [await self._ticket(user) for user in (member, customers[None], member)]
        first, second, _ = tickets
        await self._time(first)
        for path in ("", "/version", "/users/me", "/users/3", "/groups/1"):
            await self.ask("GET", path)
        self.answers["GET /ticket_states/N 200"] = await self.twin.get("/ticket_states")
        for query in ("page=1000&per_page=10", "page=1"):
            await self.ask("GET", f"/tickets?{query}&expand=false")
        for query in ("query=Printer", "query=nobodysaysthis"):
            await self.ask("GET", f"/tickets/search?{query}&expand=false")
        await self.ask("PUT", f"/tickets/{second['id']}", {"title": "another"})
        source, target = f"/ticket_merge/{second['id']}", first["number"]
        link = {"link_type": "normal", "link_object_target_value": first["id"]}
        link |= {"link_object_source_number": second["number"]}
        await self.ask("GET", f"/links?link_object=Ticket&link_object_value={first['id']}")
        await self.ask("POST", "/links/add", link)
        await self.ask("PUT", f"{source}/{target}")
        for ticket in tickets:
            await self._look_at(ticket["id"])
        for ticket in tickets:
            await self.ask("DELETE", f"/tickets/{ticket['id']}")
        return self.answers

    async def _ticket(self, customer: int) -> Any:
        wish = {"title": "t", "group_id": 1, "customer_id": customer, "article": {"body": "b"}}
        return await self.ask("POST", "/tickets", wish)

    async def _time(self, ticket: Any) -> None:
        types = "/time_accounting/types?page=1&per_page=10&expand=false"
        await self.ask("GET", f"/tickets/{ticket['id']}/time_accountings")
        kind = await self.ask("POST", "/time_accounting/types", {"name": "T"})
        await self.ask("GET", types)
        wish = {"ticket_id": ticket["id"], "body": "b"}
        article = await self.ask("POST", "/ticket_articles", wish)
        wish = {"ticket_id": ticket["id"], "time_unit": "1.23"}
        of_article = {"ticket_article_id": article["id"], "type": kind["name"]}
        await self._look_at(ticket["id"])
        made = [
            await self.ask("POST", "/time_accountings", wish | more) for more in ({}, of_article)
        ]
        await self._look_at(ticket["id"])
        await self.ask("GET", f"/ticket_articles/{article['id']}")
        await self.ask("GET", f"/ticket_articles/by_ticket/{ticket['id']}")
        for entry in made:
            await self.ask("GET", f"/time_accountings/{entry['id']}")
            await self.ask("PUT", f"/time_accountings/{entry['id']}", {"time_unit": "2.34"})
        await self.ask("DELETE", f"/time_accountings/{made[0]['id']}")

    async def _look_at(self, ticket_id: int) -> None:
        for path in ("", "?expand=true", "/time_accountings"):
            await self.ask("GET", f"/tickets/{ticket_id}{path}")
        await self.ask("GET", f"/links?link_object=Ticket&link_object_value={ticket_id}")
        for article in await self.twin.get(f"/ticket_articles/by_ticket/{ticket_id}"):
            await self.ask("GET", f"/ticket_articles/{article['id']}")


def difference(golden: Any, answered: Any, at: str = "") -> str | None:
    """The first in keys or types. Null is like everything; keys that are numbers are ids."""
    if golden is None or answered is None:
        return None
    if type(golden) is not type(answered):
        return f"{at}: {type(golden).__name__} recorded, {type(answered).__name__} answered"
    if isinstance(golden, list):
        return _of_some(golden, answered, at)
    if not isinstance(golden, dict):
        return None
    if golden and all(key.isdigit() for key in golden):
        return _of_some(list(golden.values()), list(answered.values()), at)
    if (golden.keys() ^ answered.keys()) - REMOVABLE:
        return f"{at}: keys {sorted(golden.keys() ^ answered.keys())}"
    both = (golden.keys() & answered.keys()) - FREE
    found = (difference(golden[key], answered[key], f"{at}.{key}") for key in both)
    return next((each for each in found if each), None)


def _of_some(golden: list[Any], answered: list[Any], at: str) -> str | None:
    """Each is like one of those answered."""
    for each in golden:
        found = [difference(each, other, f"{at}[]") for other in answered]
        if all(found):
            return found[0] if found else f"{at}: nothing answered"
    return None


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def answers() -> Answers:
    async with opened() as twin:
        twin.memory.books.settings["version"] = "6.2.0"
        return await Story(twin).tell()


@pytest.mark.parametrize(
    ("name", "status", "golden"),
    [pytest.param(*row, id=key) for key, *row in recorded()],
)
async def test_a_recorded_answer_has_the_shape_of_the_twins(
    answers: Answers, name: str, status: int, golden: Any
) -> None:
    found = [difference(golden, answered) for answered in answers[f"{name} {status}"]]
    assert None in found


async def test_most_of_what_was_recorded_is_served() -> None:
    assert len(list(recorded())) > 100
