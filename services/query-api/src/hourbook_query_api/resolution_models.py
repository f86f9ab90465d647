"""Answers to questions, as people send and see them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hourbook_query_api.choices import Choice, Outcome
from hourbook_query_api.conflicts import Narrowing
from hourbook_query_api.connector_models import Body
from hourbook_query_api.shown import Shown

MANY_MAX = 1000

SheetId = Annotated[str, Field(max_length=60, pattern=r"^kimai:[a-z][a-z0-9-]{0,30}:\d{1,18}$")]
Comment = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


class ResolveBody(Body):
    choice: Choice
    gen: int = Field(ge=0, lt=2**31)
    """Of the question as it was shown: where it has moved since, nothing is said."""
    sheet: SheetId | None = None
    """Of `adopt`: which of the candidates."""
    comment: Comment | None = None
    """Kept sealed under its author's key."""


class Chosen(Body):
    conflict: str = Field(max_length=200, pattern=r"^[a-z0-9:~-]+$")
    gen: int = Field(ge=0, lt=2**31)


class FilterBody(Narrowing, Body):
    """As the query of GET /api/conflicts; always of the open ones that nobody has answered."""


class ManyBody(Body):
    """Either those that were chosen, or all that a filter finds."""

    choice: Choice
    conflicts: list[Chosen] | None = Field(default=None, min_length=1, max_length=MANY_MAX)
    filter: FilterBody | None = None


class ResolveManyBody(ManyBody):
    count: int = Field(ge=1, le=MANY_MAX)
    """As it was previewed: where there are more or fewer by now, nothing is said."""
    comment: Comment | None = None


class OutcomeCount(Shown):
    outcome: Outcome
    count: int
    seconds: int
    """Of what Zammad has."""


class SkipCount(Shown):
    why: str
    """`moved`, `answered`, `choice_not_offered`, `needs_a_timesheet`, `gone`; an open string."""
    count: int


class ResolutionPreview(Shown):
    count: int
    """Send it back as `count`."""
    outcomes: list[OutcomeCount]
    skipped: list[SkipCount]


ItemState = Literal["held", "undone", "sent", "counted", "overtaken", "skipped"]


class ResolutionItem(Shown):
    conflict: str
    entry: str | None
    state: ItemState
    """`counted`: the read model has it; `overtaken`: the question had moved or another answer was first."""
    why: str | None = None
    """Of `skipped`."""


class Resolution(Shown):
    """One act of a person, on one question or on many."""

    resolution_id: str
    choice: Choice
    by: str
    by_name: str | None
    made_at: datetime
    undo_until: datetime
    """Nothing is sent before; DELETE undoes it until then."""
    undone_at: datetime | None
    items: list[ResolutionItem]
    look_at: str
