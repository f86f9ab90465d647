"""What makes Hourbook ask a person: each gives the time accounting that is asked about.

Lists are searched by a ticket's number (`number_of`): titles are sealed where they are kept.
"""

from typing import Any

from bench.world import World

LONGEST_MINUTES = "timesheet.rules.long_running_duration"
NOBODYS_TYPE = 5
"""Of the demo's activity types the one that no activity in Kimai is named like."""


async def number_of(here: World, booked: int) -> str:
    """The ticket's."""
    return str((await here.of_entry(booked))["ticket_number"])


async def three_quarters_in_kimai(here: World, ticket: int) -> int:
    """Of a quarter of an hour in Zammad; nothing is known of it yet."""
    booked = await here.book(ticket, 15)
    row = await here.settled(booked)
    hour = row["begin"][:14]
    edit = {"begin": f"{hour}00:00+00:00", "end": f"{hour}45:00+00:00"}
    (await here.kimai.patch(f"/api/timesheets/{row['id']}", json=edit)).raise_for_status()
    return booked


async def changed_in_kimai(here: World, ticket: int) -> int:
    booked = await three_quarters_in_kimai(here, ticket)
    await here.asked(booked, "changed_in_kimai")
    return booked


async def changed_on_both_sides(here: World, ticket: int) -> int:
    """Half an hour in Zammad by now."""
    booked = await three_quarters_in_kimai(here, ticket)
    await here.edit(booked, 30)
    await here.asked(booked, "changed_on_both_sides")
    return booked


async def deleted_in_kimai(here: World, ticket: int) -> int:
    booked = await here.book(ticket, 15)
    row = await here.settled(booked)
    (await here.kimai.delete(f"/api/timesheets/{row['id']}")).raise_for_status()
    await here.api.post("/api/sync/manual", {"what": "sweep"})
    await here.asked(booked, "deleted_in_kimai")
    return booked


async def locked_in_kimai(here: World, ticket: int) -> int:
    """A quarter of an hour that is billed, and half an hour in Zammad by now."""
    booked = await here.book(ticket, 15)
    row = await here.settled(booked)
    (await here.kimai.post("/_twin/export", json={"ids": [row["id"]]})).raise_for_status()
    await here.edit(booked, 30)
    await here.asked(booked, "locked_in_kimai")
    return booked


async def possible_duplicate(here: World, ticket: int) -> int:
    """Somebody has put an hour of this ticket into Kimai already: we ask before we write a second one."""
    like = await here.settled(await here.book(await here.new_ticket("Like this one"), 15))
    number = next(one["number"] for one in await here.tickets() if one["id"] == ticket)
    wish = {part: like[part] for part in ("project", "activity", "begin", "end")}
    wish |= {"user": 4, "description": f"#{number}"}  # whose day we have not just looked at
    (await here.kimai.post("/api/timesheets", json=wish)).raise_for_status()
    booked = await here.book(ticket, 15, agent=4)
    await here.asked(booked, "possible_duplicate")
    return booked


async def refused_by_kimai(here: World, ticket: int) -> int:
    """Three hours, longer than this Kimai took; by now it takes them."""
    await _kimai_takes(here, 120)
    try:
        booked = await here.book(ticket, 180)
        await here.asked(booked, "refused_by_kimai")
    finally:
        await _kimai_takes(here, None)
    return booked


async def _kimai_takes(here: World, minutes: int | None) -> None:
    wish = {LONGEST_MINUTES: minutes}
    (await here.kimai.patch("/_twin/settings", json=wish)).raise_for_status()


async def unmapped_worker(here: World, ticket: int) -> int:
    return await _unmapped(here, "worker", ["5"], ticket, agent=5)


async def unmapped_customer(here: World, ticket: int) -> int:
    """Of an organization, where others have no project of their own either."""
    keys = [f"organization:{await _organization(here, ticket)}", "default"]
    return await _unmapped(here, "customer", keys, ticket)


async def unmapped_activity(here: World, ticket: int) -> int:
    keys = [str(NOBODYS_TYPE)]
    return await _unmapped(here, "activity", keys, ticket, type_id=NOBODYS_TYPE)


async def _organization(here: World, ticket: int) -> int:
    tickets = await here.tickets()
    return next(int(one["organization_id"]) for one in tickets if one["id"] == ticket)


async def _unmapped(here: World, kind: str, keys: list[str], ticket: int, **how: Any) -> int:
    mappings = (await here.api.get("/api/mappings", kind=kind, limit="200"))["items"]
    for one in mappings:
        if one["source_key"] in keys:
            await here.api.delete(f"/api/mappings/{one['mapping']}")
    booked = await here.book(ticket, 15, **how)
    await here.asked(booked, f"unmapped_{kind}")
    return booked
