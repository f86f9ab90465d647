"""A Zammad that remembers: what a write does to entries, totals, `updated_at` and triggers (zammad-api.md 2.3, 4.4).

Every method is whole: it refuses before it changes anything, and tells its listeners once at the end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from pydantic import TypeAdapter

from hourbook_kit import clock
from hourbook_simulators.zammad import units
from hourbook_simulators.zammad.records import (
    MERGED,
    SYSTEM_USER,
    Article,
    Books,
    Link,
    Ticket,
    TimeAccounting,
)
from hourbook_simulators.zammad.refusals import Refusal, unprocessable

BOOKS = TypeAdapter(Books)
OVERFLOW = (
    "PG::NumericValueOutOfRange: ERROR:  numeric field overflow\nDETAIL:  A field with precision 6, "
    "scale 2 must round to an absolute value less than 10^4.\n"
)
INVALID = "Time unit must be less than 10000"


@dataclass(frozen=True, slots=True)
class Change:
    """An event of a ticket, as a trigger sees it: one a request and ticket."""

    ticket_id: int
    article_id: int | None = None
    time_unit: bool = False
    """Whether the ticket's total changed."""


def shown(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Memory:
    """The books with the look-ups that keep a busy list cheap."""

    def __init__(self, books: Books) -> None:
        self.on_change: list[Callable[[Change], None]] = []
        self.on_write: list[Callable[[], None]] = []
        self.open(books)

    def open(self, books: Books) -> None:
        """From now on these are the books."""
        self.books = books
        self.entries_of: dict[int, dict[int, TimeAccounting]] = {}
        self.articles_of: dict[int, dict[int, Article]] = {}
        self.entry_of_article: dict[int, TimeAccounting] = {}
        self.sum_of: dict[int, Decimal] = {}
        for article in books.articles.values():
            self.articles_of.setdefault(article.ticket_id, {})[article.id] = article
        for entry in books.accountings.values():
            self._index(entry)

    @classmethod
    def from_picture(cls, picture: bytes) -> "Memory":
        return cls(BOOKS.validate_json(picture))

    def picture(self) -> bytes:
        return orjson.dumps(self.books, default=str, option=orjson.OPT_NON_STR_KEYS)

    # ------------------------------------------------------------------------------------- small
    def now(self) -> str:
        return shown(clock.now() + timedelta(seconds=self.books.clock_offset_seconds))

    def is_before(self, major: int, minor: int) -> bool:
        version = str(self.books.settings["version"]).split(".")
        return (int(version[0]), int(version[1])) < (major, minor)

    def next_id(self, kind: str) -> int:
        self.books.last_ids[kind] = given = self.books.last_ids.get(kind, 0) + 1
        return given

    def written(self) -> None:
        """Something is to be kept on disk that is no event of a ticket."""
        for listener in self.on_write:
            listener()

    def _tell(self, *changes: Change) -> None:
        self.written()
        for change in changes:
            for listener in self.on_change:
                listener(change)

    def _moved(self, before: str) -> str:
        """Now, and never the time it had: no two writes of a real Zammad share a millisecond."""
        now = self.now()
        return (
            shown(datetime.fromisoformat(now) + timedelta(milliseconds=1)) if now == before else now
        )

    def _touch(self, ticket: Ticket, user_id: int) -> None:
        ticket.updated_at = self._moved(ticket.updated_at)
        ticket.updated_by_id = user_id

    # -------------------------------------------------------------------------- time accountings
    def _index(self, entry: TimeAccounting) -> None:
        self.entries_of.setdefault(entry.ticket_id, {})[entry.id] = entry
        self.sum_of[entry.ticket_id] = (
            self.sum_of.get(entry.ticket_id, Decimal(0)) + entry.time_unit
        )
        if entry.ticket_article_id is not None:
            self.entry_of_article[entry.ticket_article_id] = entry

    def _check(self, ticket: Ticket, value: Decimal, before: Decimal = Decimal(0)) -> None:
        total = self.sum_of.get(ticket.id, Decimal(0)) - before + value
        if not units.fits(value) or not units.fits(total):
            if self.books.unknowns["out_of_range"] == "database":
                raise Refusal(422, OVERFLOW, human=False)
            raise unprocessable(INVALID)

    def _sum_up(self, ticket: Ticket, user_id: int) -> bool:
        """Whether the ticket moved: it does only when its total does."""
        total = self.sum_of.get(ticket.id, Decimal(0))
        if (ticket.time_unit or Decimal(0)) == total:
            return False
        ticket.time_unit = total
        self._touch(ticket, user_id)
        return True

    def _enter(
        self,
        ticket: Ticket,
        value: Decimal,
        user_id: int,
        *,
        type_id: int | None,
        article_id: int | None,
        at: str | None = None,
    ) -> TimeAccounting:
        at = at or self.now()
        entry = TimeAccounting(
            self.next_id("accounting"), ticket.id, article_id, value, type_id, user_id, at, at
        )
        self.books.accountings[entry.id] = entry
        self._index(entry)
        return entry

    def book(
        self,
        ticket: Ticket,
        value: Decimal,
        user_id: int,
        *,
        type_id: int | None = None,
        article_id: int | None = None,
        at: str | None = None,
    ) -> TimeAccounting:
        """`at` back-dates, which no real Zammad lets anybody do over its API."""
        self._check(ticket, value)
        if article_id is not None:
            self._check_article(ticket.id, article_id)
        entry = self._enter(ticket, value, user_id, type_id=type_id, article_id=article_id, at=at)
        self._tell(*[Change(ticket.id, time_unit=True)] * self._sum_up(ticket, user_id))
        return entry

    def _check_article(self, ticket_id: int, article_id: int) -> None:
        if article_id in self.entry_of_article:
            raise unprocessable("Ticket article has already been taken")
        if self.books.articles[article_id].ticket_id != ticket_id:
            raise unprocessable("Ticket article This article is not part of the ticket.")

    def rebook(self, entry: TimeAccounting, user_id: int, wish: dict[str, Any]) -> None:
        """`wish` holds what is to change of time_unit, type_id and ticket_article_id."""
        changed = {name: value for name, value in wish.items() if getattr(entry, name) != value}
        if not changed:
            return
        ticket = self.books.tickets[entry.ticket_id]
        value = changed.get("time_unit", entry.time_unit)
        self._check(ticket, value, before=entry.time_unit)
        if (article_id := changed.get("ticket_article_id")) in self.entry_of_article:
            raise unprocessable("Ticket article has already been taken")
        if "ticket_article_id" in changed:
            self.entry_of_article.pop(entry.ticket_article_id or 0, None)
            if article_id is not None:
                self.entry_of_article[article_id] = entry
        self.sum_of[ticket.id] += value - entry.time_unit
        for name, value in changed.items():
            setattr(entry, name, value)
        entry.updated_at = self._moved(entry.updated_at)
        self._tell(*[Change(ticket.id, time_unit=True)] * self._sum_up(ticket, user_id))

    def unbook(self, entry: TimeAccounting, user_id: int) -> None:
        ticket = self.books.tickets[entry.ticket_id]
        self._check(ticket, Decimal(0), before=entry.time_unit)
        self._drop(entry)
        self._tell(*[Change(ticket.id, time_unit=True)] * self._sum_up(ticket, user_id))

    def _drop(self, entry: TimeAccounting) -> None:
        del self.books.accountings[entry.id], self.entries_of[entry.ticket_id][entry.id]
        self.sum_of[entry.ticket_id] -= entry.time_unit
        if entry.ticket_article_id is not None:
            self.entry_of_article.pop(entry.ticket_article_id, None)

    # ------------------------------------------------------------------------ tickets, articles
    def open_ticket(
        self, title: str, user_id: int, *, at: str | None = None, body: str = "...", **fields: Any
    ) -> Ticket:
        at = at or self.now()
        ticket_id = self.next_id("ticket")
        number = str(67000 + ticket_id)
        ticket = Ticket(
            ticket_id,
            number,
            title,
            created_by_id=user_id,
            updated_by_id=user_id,
            created_at=at,
            updated_at=at,
            **fields,
        )
        self.books.tickets[ticket.id] = ticket
        article = self._add_article(ticket, body, user_id, at=at)
        self._tell(Change(ticket.id, article.id))
        return ticket

    def change_ticket(self, ticket: Ticket, user_id: int, wish: dict[str, Any]) -> None:
        changed = {name: value for name, value in wish.items() if getattr(ticket, name) != value}
        for name, value in changed.items():
            setattr(ticket, name, value)
        if changed:
            self._touch(ticket, user_id)
            self._tell(Change(ticket.id))

    def write_article(
        self,
        ticket: Ticket,
        body: str,
        user_id: int,
        *,
        internal: bool = False,
        subject: str | None = None,
        time: tuple[Decimal, int | None] | None = None,
        wish: dict[str, Any] | None = None,
    ) -> Article:
        """With `time`, a value and its type, in the same event; `wish` is what else changes of the ticket."""
        if time is not None:
            self._check(ticket, time[0])
        for name, value in (wish or {}).items():
            setattr(ticket, name, value)
        article = self._add_article(ticket, body, user_id)
        article.internal, article.subject = internal, subject
        if time is not None:
            self._enter(ticket, time[0], user_id, type_id=time[1], article_id=article.id)
        summed = self._sum_up(ticket, user_id)
        self._touch(ticket, user_id)
        self._tell(Change(ticket.id, article.id, time_unit=summed))
        return article

    def _add_article(
        self, ticket: Ticket, body: str, user_id: int, at: str | None = None
    ) -> Article:
        at = at or self.now()
        author = self.books.users[user_id].name
        article = Article(self.next_id("article"), ticket.id, body, user_id, at, at, author=author)
        self.books.articles[article.id] = article
        self.articles_of.setdefault(ticket.id, {})[article.id] = article
        ticket.article_count += 1
        return article

    def delete_article(self, article: Article, user_id: int) -> None:
        """Its entry goes with it and lowers the total of the entry's ticket: after a merge, the source's."""
        ticket = self.books.tickets[article.ticket_id]
        changed = {ticket.id: Change(ticket.id)}
        del self.books.articles[article.id], self.articles_of[ticket.id][article.id]
        ticket.article_count -= 1
        self._touch(ticket, user_id)
        entry = self.entry_of_article.get(article.id)
        if entry is not None:
            self._drop(entry)
            if self._sum_up(self.books.tickets[entry.ticket_id], user_id):
                changed[entry.ticket_id] = Change(entry.ticket_id, time_unit=True)
        self._tell(*(changed[ticket_id] for ticket_id in sorted(changed)))

    def delete_ticket(self, ticket: Ticket) -> None:
        """With its articles and its entries, wherever those articles had their time; no trigger sees it."""
        for article in list(self.articles_of.pop(ticket.id, {}).values()):
            del self.books.articles[article.id]
            if (entry := self.entry_of_article.get(article.id)) is not None:
                self._drop(entry)
                if entry.ticket_id != ticket.id:
                    self._sum_up(self.books.tickets[entry.ticket_id], SYSTEM_USER)
        for entry in list(self.entries_of.pop(ticket.id, {}).values()):
            del self.books.accountings[entry.id]
            self.entry_of_article.pop(entry.ticket_article_id or 0, None)
        self.sum_of.pop(ticket.id, None)
        self.books.links = [
            link for link in self.books.links if ticket.id not in (link.source_id, link.target_id)
        ]
        del self.books.tickets[ticket.id]
        self.written()

    def merge(self, source: Ticket, target: Ticket, user_id: int) -> None:
        """Articles and links move, entries stay: both totals are what they were (#4923)."""
        if target.state_id == MERGED:
            raise unprocessable("It is not possible to merge into an already merged ticket.")
        if source.id == target.id:
            raise unprocessable("Can't merge ticket with itself!")
        for article in self.articles_of.pop(source.id, {}).values():
            article.ticket_id = target.id
            self.articles_of.setdefault(target.id, {})[article.id] = article
        self._relink(source, target)
        note = self._add_article(source, "merged", user_id)
        self._add_article(target, f"Ticket {source.number} has been merged into this one.", 1)
        source.state_id, source.owner_id = MERGED, SYSTEM_USER
        self._touch(source, user_id)
        self._touch(target, SYSTEM_USER)
        self._tell(Change(source.id, note.id), Change(target.id))

    def _relink(self, source: Ticket, target: Ticket) -> None:
        """What was linked to the source is linked to the target, which becomes its only parent."""
        links: list[Link] = []
        for link in self.books.links:
            ends = [
                target.id if end == source.id else end for end in (link.source_id, link.target_id)
            ]
            if ends[0] != ends[1] and Link(link.kind, *ends) not in links:
                links.append(Link(link.kind, *ends))
        self.books.links = [*links, Link("parent", target.id, source.id)]

    def numbered(self, number: str) -> Ticket | None:
        return next((one for one in self.books.tickets.values() if one.number == number), None)

    def entries(self, ticket_id: int | None) -> Iterable[TimeAccounting]:
        """In the order of their ids; None: of all tickets."""
        if ticket_id is None:
            return self.books.accountings.values()
        return self.entries_of.get(ticket_id, {}).values()
