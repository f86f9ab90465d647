"""What is prepared as text is what COPY stores."""

import io
from datetime import UTC, date, datetime

import asyncpg
import pytest

from hourbook_reconciler.copying import lines

ROWS = [
    (1, None, True, date(2026, 3, 29), datetime(2026, 3, 29, 1, 59, 59, 999999, UTC), b"\0\\x", []),
    (
        -(2**31),
        "a\tb\nc\rd\\n\\N",
        False,
        date(1970, 1, 1),
        datetime(1970, 1, 1, tzinfo=UTC),
        b"",
        ["x"],
    ),
    (0, "\\N", True, date(8999, 12, 31), None, None, ['"', "\\", "{a,b}", "NULL", "", " ü\t"]),
    (7, "", None, None, None, None, None),
]


@pytest.mark.anyio
async def test_what_is_told_as_text_is_what_is_stored(connection: asyncpg.Connection) -> None:
    columns = "n int, t text, b boolean, d date, at timestamptz, raw bytea, tags text[]"
    await connection.execute(f"CREATE TEMP TABLE told ({columns})")
    await connection.copy_to_table("told", source=io.BytesIO(lines(ROWS)))
    assert [tuple(row) for row in await connection.fetch("SELECT * FROM told")] == ROWS


def test_no_row_is_no_line_and_a_float_has_no_column() -> None:
    assert lines([]) == b""
    with pytest.raises(TypeError, match="float"):
        lines([(1.5,)])
