"""What every record's JSON has in common: the encoding, and colours nobody should rely on."""

import json
from typing import Any
from zlib import crc32

from hourbook_simulators.kimai.records import Team

PALETTE = ("#041fd1", "#85144b", "#2ECC40", "#E91E63", "#00BCD4", "#FF851B", "#3F51B5", "#673AB7")
Shape = dict[str, Any]


def as_json(answer: Any) -> str:
    """Non-ASCII escaped, floats keep their .0, and no blanks."""
    return json.dumps(answer, separators=(",", ":"))


def color(name: str, chosen: str | None) -> str:
    return chosen or PALETTE[crc32(name.encode()) % len(PALETTE)]


def team_row(team: Team) -> Shape:
    return {
        "color-safe": color(team.name, team.color),
        "id": team.id,
        "name": team.name,
        "color": team.color,
    }
