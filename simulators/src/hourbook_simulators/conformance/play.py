"""Plays a sequence of recorded exchanges against one twin and judges each that is in scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hourbook_kit.clock import now as real_now
from hourbook_simulators.conformance.compare import difference, restored
from hourbook_simulators.conformance.effects import carry_over, show, show_account
from hourbook_simulators.conformance.history import accounts_at, made_by, strangers
from hourbook_simulators.conformance.instance import Instance, UnknownStepError
from hourbook_simulators.conformance.recordings import Exchange
from hourbook_simulators.conformance.request import content_of, headers_of, told_time
from hourbook_simulators.conformance.scope import PUNCH, why_out
from hourbook_simulators.kimai.app import build

MORNING = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""When the recordings begin; how it went on they tell themselves."""
EARLIER, LATER = timedelta(minutes=15), timedelta(hours=14)
UNRECORDED = 1_000_000
"""Numbers from here on have records that the recorded instance did not make."""
SHOWN = 160


@dataclass(frozen=True, slots=True)
class Judged:
    exchange: Exchange
    out: str | None = None
    """Why it is not judged."""
    differs: str | None = None
    """The first difference; None: it matched, or it is not judged."""

    @property
    def is_in_scope(self) -> bool:
        return self.out is None

    @property
    def is_matched(self) -> bool:
        return self.out is None and self.differs is None


async def play(exchanges: Sequence[Exchange]) -> list[Judged]:
    player = _Player(exchanges)
    transport = httpx.ASGITransport(build(player.instance.memory))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://kimai.test", follow_redirects=True
    ) as kimai:
        return [await player.judge(kimai, place) for place in range(len(exchanges))]


class _Player:
    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.instance = Instance()
        self._exchanges = exchanges
        self._strangers = strangers(exchanges)
        self._clock = MORNING
        self._last_timesheet = 0

    async def judge(self, kimai: httpx.AsyncClient, place: int) -> Judged:
        """Whatever breaks on the way: this exchange did not match."""
        exchange = self._exchanges[place]
        if exchange.unreadable:
            return Judged(exchange, differs=exchange.unreadable)
        out: str | None = None
        differs: str | None = None
        try:
            unknown = self._set_up(place)
            out = why_out(exchange, str(self.instance.memory.setting("timesheet.mode")))
            if out is None or out == PUNCH:
                differs = await self._compare(kimai, exchange)
            else:
                carry_over(self.instance.memory, exchange)
            self._count(exchange)
            differs = differs and "; ".join([differs, *unknown])
        except Exception as error:  # noqa: BLE001 -- see above
            differs = f"broke: {error!r}"
        return Judged(exchange, out=out) if out is not None else Judged(exchange, differs=differs)

    def _set_up(self, place: int) -> list[str]:
        """Brings the twin to where the instance was then; gives back what was not understood."""
        exchange = self._exchanges[place]
        if place == 0 or self._exchanges[place - 1].file != exchange.file:
            for account in accounts_at(self._exchanges, place):
                if account["id"] in self.instance.memory.users:
                    show_account(self.instance.memory, account["id"], account)
        unknown = []
        for step in exchange.setup:
            try:
                self.instance.take(step, self._due(place))
                if isinstance(step, dict) and "user" in step:
                    self._add_account(exchange, step["user"])
            except (UnknownStepError, AttributeError, LookupError, TypeError, ValueError) as error:
                unknown.append(str(error))
        for kind, shown in self._strangers.get(place, ()):
            show(self.instance.memory, kind, shown)
        return unknown

    def _due(self, place: int) -> int:
        """The number of a record that nobody makes over the API: a stranger's, or the next one."""
        for later in sorted(self._strangers):
            for kind, shown in self._strangers[later] if later >= place else ():
                if kind == "timesheets" and shown["id"] > self._last_timesheet:
                    return int(shown["id"])
        return self._last_timesheet + 1

    def _count(self, exchange: Exchange) -> None:
        made = made_by(exchange)
        if made is not None and made[0] == "timesheets":
            self._last_timesheet = max(self._last_timesheet, made[1])

    def _add_account(self, exchange: Exchange, given: dict[str, Any]) -> None:
        """Its number and its mail address only a later answer tells."""
        shown: dict[str, Any] = {}
        for later in self._exchanges:
            rows = later.response if isinstance(later.response, list) else [later.response]
            for row in rows:
                if isinstance(row, dict) and row.get("username") == given["username"]:
                    shown = {"id": row["id"], "email": row.get("email")}
        if not shown:
            shown = {"id": self.instance.memory.next_id("user")}
        self.instance.add_account(str(exchange.token), given | shown)

    async def _compare(self, kimai: httpx.AsyncClient, exchange: Exchange) -> str | None:
        self._set_clock(exchange)
        self._set_next_number(exchange)
        content = content_of(exchange)
        headers = headers_of(exchange) | content.pop("headers", {})
        url = "/api" + exchange.path
        answer = await kimai.request(exchange.method, url, headers=headers, **content)
        if answer.status_code != exchange.status:
            text = answer.text[:SHOWN]
            return f"{exchange.status} recorded, {answer.status_code} answered: {text}"
        recorded = "" if exchange.response is None else exchange.response
        return difference(restored(recorded), _body(answer))

    def _set_clock(self, exchange: Exchange) -> None:
        told = told_time(exchange)
        if told is not None and self._clock - EARLIER <= told[1] <= self._clock + LATER:
            first, last = told
            if not first <= self._clock <= last:
                self._clock = first + (last - first) / 2
        offset = self._clock - real_now()
        self.instance.memory.clock_offset_seconds = offset.total_seconds()

    def _set_next_number(self, exchange: Exchange) -> None:
        """What is made gets the number that the recorded one had."""
        kind = "tag" if exchange.route == "/tags" else "timesheet"
        made = made_by(exchange)
        ids = self.instance.memory.last_ids
        if made is not None:
            ids[kind] = made[1] - 1
        else:
            ids[kind] = max(ids.get(kind, 0), UNRECORDED)


def _body(answer: httpx.Response) -> Any:
    if answer.text and answer.headers.get("content-type", "").startswith("application/json"):
        return answer.json()
    return answer.text
