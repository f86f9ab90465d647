"""A folder that people write in while it is read."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hourbook_kit.source.protocol import (
    BadCredentialsError,
    RetriableError,
    SourceError,
    UnfitError,
)
from hourbook_source_csv.folder import SUMS, Folder

pytestmark = pytest.mark.anyio

HEADER = "id,ticket,agent,units,made_at,organization"


def line(booking: int, ticket: int = 1, units: str = "15") -> str:
    return f"{booking},{ticket},3,{units},2026-03-02T09:00:00Z,4\n"


def sums(files: dict[str, str]) -> str:
    return "".join(f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\n" for n, t in files.items())


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / SUMS).write_text(sums(files))


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


async def shown(folder: Path | Folder) -> dict[int, str]:
    source = folder if isinstance(folder, Folder) else Folder(folder.as_uri())
    return {one.id: one.raw_units async for page in source.everything() for one in page.bookings}


BEFORE = {
    "a.csv": HEADER + "\n" + line(1) + line(2),
    "b.csv": HEADER + "\n" + line(3, ticket=2),
}
AFTER = {
    "a.csv": HEADER + "\n" + line(1, units="150") + line(4),
    "c.csv": HEADER + "\n" + line(5, ticket=2),
}
TRUTHS = ({1: "15", 2: "15", 3: "15"}, {1: "150", 4: "15", 5: "15"})


@settings(max_examples=150, deadline=None)
@given(
    order=st.permutations(["a.csv", "b.csv", "c.csv", SUMS]),
    done=st.integers(0, 4),
    share=st.floats(0, 1),
)
async def test_whatever_is_half_written_is_never_read_as_truth(
    order: list[str], done: int, share: float
) -> None:
    """The new files and the new list in any order, the next one cut off anywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, BEFORE)
        after = {**AFTER, SUMS: sums(AFTER)}
        for step, file in enumerate(order[: done + 1]):
            text = after.get(file)
            if text is None:
                (folder / file).unlink()
            else:
                cut = len(text) if step < done else int(len(text) * share)
                (folder / file).write_text(text[:cut])
        try:
            found = await shown(folder)
        except SourceError:
            return
        assert found in TRUTHS


async def test_what_is_finished_is_read(tmp_path: Path) -> None:
    write(tmp_path, BEFORE)
    source = Folder(tmp_path.as_uri())
    assert await shown(source) == TRUTHS[0]
    (tmp_path / "b.csv").unlink()
    write(tmp_path, AFTER)
    assert await shown(source) == TRUTHS[1]
    assert await source.is_gone(3)


async def test_a_folder_that_is_not_mounted_is_not_empty(tmp_path: Path) -> None:
    write(tmp_path, BEFORE)
    empty(tmp_path)
    source = Folder(tmp_path.as_uri())
    with pytest.raises(UnfitError, match="sha256sum"):
        await source.is_gone(1)
    shutil.rmtree(tmp_path)
    with pytest.raises(RetriableError):
        await source.is_gone(1)
    with pytest.raises(BadCredentialsError, match="file:///"):
        await Folder("https://hours.example").control()


async def test_a_file_that_is_not_listed_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path, BEFORE)
    (tmp_path / "d.csv").write_text(HEADER + "\n")
    with pytest.raises(RetriableError, match=r"d\.csv"):
        await shown(tmp_path)
    (tmp_path / "d.csv").rename(tmp_path / "d.csv.part")  # nobody's business
    assert await shown(tmp_path) == TRUTHS[0]


async def test_a_change_is_seen_also_by_whoever_remembers(tmp_path: Path) -> None:
    """Also one that keeps length and modification time, just after a reading."""
    write(tmp_path, BEFORE)
    source = Folder(tmp_path.as_uri())
    assert await shown(source) == TRUTHS[0]
    stat = (tmp_path / "a.csv").stat()
    changed = {**BEFORE, "a.csv": BEFORE["a.csv"].replace("2,1,3,15", "2,1,3,16")}
    write(tmp_path, changed)
    os.utime(tmp_path / "a.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (await shown(source))[2] == "16"


async def test_where_a_line_may_be_any_booking_none_is_gone(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": HEADER + "\n" + line(1) + "garbage\n"})
    source = Folder(tmp_path.as_uri())
    assert not await source.is_gone(2)
    assert (await source.read_ticket(1)).doubtful
    assert [record.place for record in await source.bad_records()] == ["a.csv:3"]


async def test_another_customer_of_a_ticket_is_a_change_of_the_ticket(tmp_path: Path) -> None:
    write(tmp_path, BEFORE)
    source = Folder(tmp_path.as_uri())
    since = await source.newest_ticket()
    assert since is not None
    write(tmp_path, {**BEFORE, "b.csv": BEFORE["b.csv"].replace("Z,4", "Z,5")})
    seen = {one.id async for page in source.tickets_changed(since) for one in page}
    assert 2 in seen
    read = await source.read_ticket(2)
    assert read.ticket is not None
    assert read.ticket.attributes.organization_id == 5
