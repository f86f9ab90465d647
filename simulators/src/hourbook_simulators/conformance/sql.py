"""The few SQL statements that stand in a `setup` step (recordings/README.md), read."""

import re
from dataclasses import dataclass, field
from typing import Any

LITERAL = r"'(?:[^']|'')*'|[^,\s()]+"
UPDATE = re.compile(r"update (\w+) set (.+?)(?: where (.+))?", re.IGNORECASE)
DELETE = re.compile(r"delete from (\w+)(?: where (.+))?", re.IGNORECASE)
INSERT = re.compile(r"insert into (\w+) ?\(([^)]*)\) ?values ?(\(.*\))", re.IGNORECASE)
ROW = re.compile(rf"\(((?:{LITERAL}|[,\s])*)\)")
GRANT = re.compile(
    r"insert into kimai2_roles_permissions.* select id, ?'([^']+)', ?([01]) from kimai2_roles"
    r" where name ?= ?'([^']+)'",
    re.IGNORECASE,
)
PASSWORD = re.compile(r"set api password of user (\d+)", re.IGNORECASE)
PAIR = re.compile(rf"(\w+) ?= ?({LITERAL})")
IS_NULL = re.compile(r"(\w+) is null", re.IGNORECASE)
CLOCK = re.compile(r"(?:now|utc_timestamp|current_timestamp)\(\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """Another column's name where a value could stand."""

    name: str


@dataclass(frozen=True, slots=True)
class Update:
    table: str
    values: dict[str, Any]
    where: dict[str, Any] = field(default_factory=dict)
    """Columns by what they must hold; None: nothing."""


@dataclass(frozen=True, slots=True)
class Delete:
    table: str
    where: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Insert:
    table: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Grant:
    role: str
    permission: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Password:
    user_id: int


Statement = Update | Delete | Insert | Grant | Password


def read(sql: str, now: str) -> list[Statement | None]:
    """In their order; None for what is none of these. `now` is what the database's clock shows."""
    told = CLOCK.sub(f"'{now}'", sql)
    return [_statement(" ".join(part.split())) for part in told.split(";") if part.strip()]


def _statement(text: str) -> Statement | None:
    if match := GRANT.fullmatch(text):
        permission, allowed, role = match.groups()
        return Grant(role, permission, allowed == "1")
    if match := PASSWORD.fullmatch(text):
        return Password(int(match[1]))
    if match := UPDATE.fullmatch(text):
        return Update(match[1].lower(), _pairs(match[2]), _where(match[3]))
    if match := INSERT.fullmatch(text):
        names = [name.strip(" `").lower() for name in match[2].split(",")]
        rows = (re.findall(LITERAL, row) for row in ROW.findall(match[3]))
        return Insert(
            match[1].lower(),
            [dict(zip(names, map(_value, row), strict=False)) for row in rows],
        )
    if match := DELETE.fullmatch(text):
        return Delete(match[1].lower(), _where(match[2]))
    return None


def _pairs(text: str) -> dict[str, Any]:
    return {column.lower(): _value(value) for column, value in PAIR.findall(text)}


def _where(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    return _pairs(text) | {column.lower(): None for column in IS_NULL.findall(text)}


def _value(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.upper() == "NULL":
        return None
    try:
        return int(text)
    except ValueError:
        return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else Column(text.lower())
