"""`hourbook story`: where a minute came from, in sentences with their places on the ledger.

Pure: takes what query-api tells of an entry, gives lines.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]


class Line(NamedTuple):
    at: str
    """When, as on the ledger (UTC)."""
    place: str
    """`partition/offset`."""
    sentence: str


def lines(entry: Json) -> list[Line]:
    """Each message of the entry's story as one sentence, in the ledger's order."""
    return [
        Line(
            step["at"],
            f"{step['partition']}/{step['offset']}",
            sentence(step["type"], step["message"], step["subject"]),
        )
        for step in entry["story"]
    ]


def sentence(type_: str, message: Json, subject: str) -> str:
    """What one message says."""
    told = _SENTENCES.get(type_)
    return told(message) if told else f"{type_} about {subject}."


def conclusion(entry: Json) -> list[str]:
    """Where it stands now, and how the minutes became what they are."""
    return [*_arithmetic(entry), *_standing(entry)]


def _arithmetic(entry: Json) -> Iterator[str]:
    yield (
        f"{entry['raw_units']} units of {entry['seconds_per_unit']} s = {duration(entry['duration_seconds'])};"
        f" after netting {duration(entry['net_seconds'])}."
    )
    trace = entry["trace"] or {}
    for taken in trace.get("taken", []):
        yield f"{taken['entry']} took {duration(taken['seconds'])} from it."
    for rule in trace.get("rules", []):
        fired = f"mapping {rule['mapping']} fires" if rule["mapping"] else "no mapping"
        yield f"Rule {rule['kind']} {rule['key']}: {fired}."


def _standing(entry: Json) -> Iterator[str]:
    if want := entry["want"]:
        yield f"Kimai should hold {work(want)}."
    if sheet := entry["timesheet"]:
        locked = ", exported" if sheet["locked"] else ""
        yield f"Kimai's timesheet {sheet['number']} holds {work(sheet['held'])}{locked}."
    if (conflict := entry["conflict"]) and conflict["open"]:
        yield f"A person is asked: {conflict['reason']}."
    yield f"It is {entry['state']}."


def duration(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def work(held: Json | None) -> str:
    if held is None:
        return "nothing"
    place = held["place"]
    where = (
        f"for user {place['user_id']} on project {place['project_id']}, activity {place['activity_id']}"
        if place
        else "nowhere, because no mapping fires"
    )
    return f"{duration(held['duration_seconds'])} from {held['began_at']} {where}"


def _recorded(told: Json) -> str:
    return (
        f"Zammad holds {told['raw_units']} units of agent {told['agent_id']} on ticket"
        f" {told['ticket']['number']}: {duration(told['duration_seconds'])}."
    )


def _retracted(_: Json) -> str:
    return "Zammad no longer holds it: a confirmed 404."


def _requested(told: Json) -> str:
    return f"We asked Kimai to {told['op']}: {work(told['want'])} (generation {told['gen']})."


def _written(told: Json) -> str:
    number = told["sheet"].rsplit(":", 1)[1]
    sure = "" if told["sure"] else ", found with other values than ours"
    return f"Timesheet {number}: asked {work(told['asked'])}; stored {work(told['stored'])}{sure}."


def _refused(told: Json) -> str:
    detail = f" ({told['detail']})" if told.get("detail") else ""
    return f"We did not write: {told['why']}{detail}."


def _conflict(told: Json) -> str:
    detail = f" {told['detail']}" if told.get("detail") else ""
    return f"A person is asked: {told['reason']} (generation {told['gen']}).{detail}"


def _resolved(told: Json) -> str:
    return f"{told['by']} answered: {told['choice']}."


def _settled(told: Json) -> str:
    return f"Nothing is to be done (generation {told['gen']})."


def _observed(told: Json) -> str:
    number = told["sheet"].rsplit(":", 1)[1]
    return f"Kimai shows timesheet {number}: {work(told['work'])}."


def _vanished(told: Json) -> str:
    return f"Kimai no longer holds timesheet {told['sheet'].rsplit(':', 1)[1]}: a confirmed 404."


_SENTENCES: dict[str, Callable[[Json], str]] = {
    "hourbook.entry_recorded.v1": _recorded,
    "hourbook.entry_retracted.v1": _retracted,
    "hourbook.timesheet_requested.v1": _requested,
    "hourbook.timesheet_written.v1": _written,
    "hourbook.push_refused.v1": _refused,
    "hourbook.conflict_opened.v1": _conflict,
    "hourbook.conflict_resolved.v1": _resolved,
    "hourbook.settled.v1": _settled,
    "hourbook.timesheet_observed.v1": _observed,
    "hourbook.timesheet_vanished.v1": _vanished,
}
