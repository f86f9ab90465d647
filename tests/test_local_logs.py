"""The logs of all that runs are told side by side, in the order of time."""

import heapq
import json
from pathlib import Path

from hourbook_local.logs import Reader, parse, shown


def written(folder: Path, name: str, *lines: str) -> Reader:
    file = folder / f"{name}.log"
    with file.open("a") as log:
        log.writelines(line + "\n" for line in lines)
    return Reader(file)


def spoken(at: str, event: str, **fields: object) -> str:
    return json.dumps({"at": at, "event": event, "level": "info", **fields})


def test_lines_of_three_kinds_of_logs_are_told_in_the_order_of_time(tmp_path: Path) -> None:
    ours = written(
        tmp_path,
        "reconciler",
        spoken("2026-11-25T08:00:00.000001Z", "entry_recorded", entry_id="e1"),
        spoken("2026-11-25T08:00:02Z", "crash"),
        "Traceback (most recent call last):",
    )
    servers = written(tmp_path, "postgres", "2026-11-25 08:00:01.500 UTC [7] LOG:  ready")
    merged = list(heapq.merge(*(list(reader.read()) for reader in (ours, servers))))
    assert [line.event for line in merged] == [
        *("entry_recorded", "[7] LOG:  ready", "crash", "Traceback (most recent call last):")
    ]
    assert merged[0].fields == {"entry_id": "e1"}


def test_following_a_log_gives_only_what_is_new_and_whole(tmp_path: Path) -> None:
    reader = written(tmp_path, "push-kimai", spoken("2026-11-25T08:00:00Z", "one"))
    assert [line.event for line in reader.read()] == ["one"]
    with reader.file.open("a") as log:
        log.write(spoken("2026-11-25T08:00:01Z", "two") + "\n" + '{"at": "2026')
    assert [line.event for line in reader.read()] == ["two"]
    with reader.file.open("a") as log:
        log.write('-11-25T08:00:02Z", "event": "three"}\n')
    assert [line.event for line in reader.read()] == ["three"]


def test_a_line_shows_time_service_event_and_fields() -> None:
    line = parse(spoken("2026-11-25T08:00:00.123456Z", "pushed", entry_id="e1"), "push", "", 1)
    assert shown(line, "green", 6).plain == "08:00:00.123 push   pushed entry_id=e1"
