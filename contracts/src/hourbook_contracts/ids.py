"""Names of things: functions of what they name, so that the same thing has the same id after every restart.

| id | form |
|---|---|
| book | `zammad:<connection>:<ticket id>`, of an orphan `kimai:<connection>:<timesheet id>` |
| entry | `zammad:<connection>:<time accounting id>` |
| timesheet | `kimai:<connection>:<timesheet id>` |
| posting | `<book>/<time accounting id>` |
| subject | a posting, `<posting>/remainder` (what no entry could bear) or `<book>/<timesheet>` (a copy or orphan) |

A connection's name is part of every key and never changes: lower-case letters, digits and hyphens.
Of a source that is no Zammad its kind stands where `zammad` does.
"""

from typing import Annotated, NewType
from uuid import UUID, uuid5

from pydantic import StringConstraints

ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]

BookId = NewType("BookId", str)
EntryId = NewType("EntryId", str)
SheetId = NewType("SheetId", str)
SubjectId = NewType("SubjectId", str)
"""A posting, a remainder, a copy or an orphan: whatever has a register of decisions in a book."""

NAMESPACE = UUID("6b0f5b8e-9d0c-5f0e-8f53-4a2f6b1d7c11")
"""Of all our uuid5 names."""

REMAINDER = "/remainder"


def book_of(connection: str, ticket_id: int, kind: str = "zammad") -> BookId:
    return BookId(f"{kind}:{connection}:{ticket_id}")


def entry_of(connection: str, time_accounting_id: int, kind: str = "zammad") -> EntryId:
    return EntryId(f"{kind}:{connection}:{time_accounting_id}")


def sheet_of(connection: str, timesheet_id: int) -> SheetId:
    return SheetId(f"kimai:{connection}:{timesheet_id}")


def posting_of(book: str, entry: str) -> SubjectId:
    """The posting an entry anchors: never a function of what it holds, so it survives remapping and edits."""
    return SubjectId(f"{book}/{number_of(entry)}")


def remainder_of(posting: str) -> SubjectId:
    return SubjectId(posting + REMAINDER)


def copy_of(book: str, sheet: str) -> SubjectId:
    return SubjectId(f"{book}/{sheet}")


def anchor_of(posting: str) -> EntryId:
    """The entry that anchors a posting."""
    book, _, number = posting.partition("/")
    return EntryId(f"{book.rsplit(':', 1)[0]}:{number}")


def connection_of(record: str) -> str:
    """The connection in the id of a book, entry or timesheet."""
    return record.split(":", 2)[1]


def number_of(record: str) -> int:
    """The other system's own number of a ticket, time accounting or timesheet."""
    return int(record.rsplit(":", 1)[1])


def uuid_of(*parts: object) -> UUID:
    return uuid5(NAMESPACE, "|".join(str(part) for part in parts))
