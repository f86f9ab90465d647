"""The dry run: what would be written to a Kimai if writing was switched on, by the very rules that decide."""

from collections import defaultdict
from datetime import date
from typing import Annotated

from fastapi import Query

from hourbook_query_api.connectors import Name, Open, kimai_of
from hourbook_query_api.guard import guarded_router
from hourbook_query_api.shown import Shown
from hourbook_query_api.waiting import Group, entries_in, groups, seconds_in

router = guarded_router("/api/connectors/{name}", "connectors", 404, 409)

LINES_MAX = 200


class PreviewLine(Shown):
    """Entries that would become timesheets of one user on one project and activity."""

    user_id: int
    user_name: str | None
    project_id: int
    project_name: str | None
    activity_id: int
    activity_name: str | None
    entries: int
    seconds: int
    first_on: date
    last_on: date


class WritingPreview(Shown):
    """Kimai itself may still refuse some, or hold them already: that is asked of it before each write."""

    start_on: date | None
    creates: int
    seconds: int
    asks: dict[str, int]
    """Entries that would ask a person, by reason."""
    beyond_cap: bool
    """More than the connection's cap: the writes would wait until they are released."""
    lines: list[PreviewLine]
    """The two hundred with most time."""


@router.get("/preview")
async def preview_writing(
    desk: Open,
    name: Name,
    start_on: Annotated[
        date | None, Query(description="As it would be set; all when left out.")
    ] = None,
) -> WritingPreview:
    found = await kimai_of(desk, name)
    policy = desk.tail.installation.policy
    places: dict[tuple[int, int, int], list[Group]] = defaultdict(list)
    asks: dict[str, int] = defaultdict(int)
    for group in await groups(desk, since=start_on):
        place, missing = group.place(policy)
        if place is not None and place.target == name:
            places[place.user_id, place.project_id, place.activity_id].append(group)
        elif missing is not None:
            asks[missing.value] += group.entries
    rows = await desk.pool.fetch(
        "SELECT kind, id, name FROM push.directory WHERE target = $1"
        " AND kind IN ('user', 'project', 'activity')",
        name,
    )
    names = {(row["kind"], row["id"]): row["name"] for row in rows}
    lines = [
        PreviewLine(
            user_id=user,
            user_name=names.get(("user", user)),
            project_id=project,
            project_name=names.get(("project", project)),
            activity_id=activity,
            activity_name=names.get(("activity", activity)),
            entries=entries_in(some),
            seconds=seconds_in(some),
            first_on=min(group.first_on for group in some),
            last_on=max(group.last_on for group in some),
        )
        for (user, project, activity), some in places.items()
    ]
    lines.sort(key=lambda line: -line.seconds)
    creates = sum(line.entries for line in lines)
    return WritingPreview(
        start_on=start_on,
        creates=creates,
        seconds=sum(line.seconds for line in lines),
        asks=asks,
        beyond_cap=creates > found.write_cap,
        lines=lines[:LINES_MAX],
    )
