"""What a real Kimai answered (2.66, `simulators/recordings/kimai`), by the number of the file and of the exchange."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "simulators/recordings/kimai"

REFUSALS = {
    "02/20": "empty",
    "02/23": "malformed JSON",
    "02/26": "unknown field",
    "02/38": "user without create_other_timesheet",
    "02/41": "user of no led team",
    "05/7": "method of another version",
    "05/24": "exported row",
    "05/52": "begin null",
    "05/59": "activity of another project",
    "05/60": "global activity where none may be",
    "05/63": "mismatch",
    "06/0": "end before begin",
    "06/2": "longer than a year",
    "06/3": "no length",
    "06/5": "future",
    "06/6": "future end",
    "06/9": "overlap",
    "06/23": "too long",
    "06/25": "before its project",
    "06/29": "after its project",
    "06/44": "hidden customer",
    "07/1": "locked period",
    "07/6": "row in a locked period",
    "07/10": "duplicate into a locked period",
    "08/22": "negative by its break",
    "09/13": "in German",
    "09/15": "disabled account",
    "09/22": "legacy credentials",
    "13/0": "running without start_own_timesheet",
    "13/4": "without create_own_timesheet",
    "13/16": "removed endpoint",
}
"""One of each kind, by a name that says why."""


@cache
def exchanges() -> dict[str, dict[str, Any]]:
    """All of them, by `<file>/<place in it>`."""
    return {
        f"{file.name[:2]}/{place}": exchange
        for file in sorted(FOLDER.glob("*.json"))
        for place, exchange in enumerate(json.loads(file.read_text()))
    }


def refusals() -> list[tuple[str, dict[str, Any]]]:
    return [(name, exchanges()[where]) for where, name in REFUSALS.items()]


def writes() -> dict[str, dict[str, Any]]:
    """Everything that was asked to make, change or delete a timesheet, as we ask it: never `?full`."""
    return {
        where: exchange
        for where, exchange in exchanges().items()
        if exchange["method"] in {"POST", "PATCH", "DELETE"}
        and "full" not in exchange["path"]
        and re.fullmatch(r"/timesheets(/\d+)?", exchange["path"].partition("?")[0])
    }


def shown() -> dict[str, Any]:
    """Every timesheet that was ever listed or read, one by one."""
    return {
        f"{where}#{place}": row
        for where, exchange in exchanges().items()
        if exchange["method"] == "GET" and exchange["status"] == 200
        if re.match(r"/timesheets(\?|/\d+|$)", exchange["path"]) and "full=" not in exchange["path"]
        for place, row in enumerate(
            exchange["response"]
            if isinstance(exchange["response"], list)
            else [exchange["response"]]
        )
    }


def body_of(exchange: dict[str, Any]) -> bytes:
    response = exchange["response"]
    return b"" if response is None or response == "" else json.dumps(response).encode()
