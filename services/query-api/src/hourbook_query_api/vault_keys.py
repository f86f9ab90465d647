"""The vault, without its contents: which key is in force, what is left under older ones, who came from where."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from hourbook_query_api.connectors import Open
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.listing import Listing, Sort, Where, where
from hourbook_query_api.paging import Cursor, Filters, Limit, Total, Word
from hourbook_query_api.rotation import left
from hourbook_query_api.shown import Shown

router = guarded_router("/api", "people")

VisitWhat = Literal["signed_in", "refused", "signed_out", "reused"]
_VISITS = Listing(
    select="v.visit, v.at, v.what, v.user_id AS user, u.name, v.address",
    source="vault.visits AS v LEFT JOIN vault.users AS u USING (user_id)",
    sorts={"at": Sort("v.at", "timestamptz")},
    key="v.visit",
    key_type="uuid",
)


class VaultState(Shown):
    fingerprint: str
    """Of the newest key; it names the key without telling it."""
    under_older_keys: int
    """While this is not 0, keep the older keys in HOURBOOK_VAULT_KEY."""
    lost: int
    """What no key of ours opens: put the key that is missing back behind the others."""


class Visit(Shown):
    visit: UUID
    at: datetime
    what: VisitWhat
    """`reused`: a refresh token came a second time, much later; its session was ended."""
    user: str | None
    name: str | None
    address: str | None
    """Null after its retention."""


class Visits(Shown):
    items: list[Visit]
    next: str | None
    total: Total


class VisitFilters(Filters):
    user: Word = None
    what: list[VisitWhat] | None = None

    def where(self) -> Where:
        return where(
            [("v.user_id = {}", self.user), ("v.what = ANY({}::text[])", self.what or None)]
        )


@router.get("/vault")
async def read_vault(desk: Open) -> VaultState:
    older, lost = await left(desk.pool, desk.vault)
    return VaultState(fingerprint=desk.vault.fingerprint, under_older_keys=older, lost=lost)


@router.get("/visits")
async def list_visits(
    desk: Open,
    wanted: Annotated[VisitFilters, Query()],
    sort: Annotated[str, Query(pattern=_VISITS.sort_pattern)] = "-at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Visits:
    """Who signed in or was refused, and where from; the only answer that holds addresses."""
    page = await _VISITS.page(desk.pool, wanted.where(), sort=sort, limit=limit, cursor=cursor)
    items = [Visit(**dict(row)) for row in page.rows]
    return Visits(items=items, next=page.next, total=page.total)
