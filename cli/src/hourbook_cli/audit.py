"""The commands that look into the past and write nothing: `hourbook replay` and `hourbook what-if`."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from hourbook_cli import standings as lines
from hourbook_cli.story import duration
from hourbook_contracts import proposals
from hourbook_contracts.audit import EntryMoved, Standing, differences, summary
from hourbook_contracts.control import ControlEvent
from hourbook_contracts.installation import learn
from hourbook_kit import clock
from hourbook_kit.settings import KafkaSettings, from_environment
from hourbook_reconciler import replay as replays
from hourbook_reconciler.standing import Selection
from hourbook_reconciler.what_if import differences as differences_of

AsJson = Annotated[bool, typer.Option("--json", help="for a script")]


def replay(
    of: Annotated[
        str | None,
        typer.Argument(help="a book (zammad:desk:344) or a customer (organization:2); else all"),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="a moment with its offset from UTC, or partition/offset")
    ] = None,
    compare: Annotated[
        str | None, typer.Option(help="a second place: tells only what differs there")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="a folder for what is done: a replay that was stopped goes on"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell how entries stood at a place in the past, from the ledger alone; writes nothing to it."""
    settings = from_environment(KafkaSettings)
    with _one_sentence():
        places = [replays.Cut.parse(text) for text in (as_of, compare) if text] or [replays.Cut()]
        selection, found = _selected(of), []
        for cut in places:
            with _progress(quiet=as_json) as progress:
                asked = replays.as_of(settings, cut, selection, progress, _kept(keep))
                found.append(asyncio.run(asked))
    if len(found) == 1:
        _tell_standings(found[0], as_json=as_json)
    else:
        _tell_changes(*found, as_json=as_json)


def what_if(
    of: Annotated[
        str | None,
        typer.Argument(help="a book (zammad:desk:344) or a customer (organization:2); else all"),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="a JSON file of the settings to be tried on top of today's"),
    ] = None,
    policy_of: Annotated[
        str | None, typer.Option(help="the settings of this moment instead of today's")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="a folder for what is done: a run that was stopped goes on")
    ] = None,
    *,
    entries: Annotated[bool, typer.Option(help="also each entry that would move")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what the same history would have booked under another policy; writes nothing."""
    settings = from_environment(KafkaSettings)
    with _one_sentence():
        until = replays.Cut.parse(policy_of).moment if policy_of else None
        if policy_of and until is None:
            raise ValueError(f"{policy_of} is no moment: settings have no place on the ledger")
        selection, tried = _selected(of), _proposed(policy)
        known = asyncio.run(replays.installation(settings, until))
        for event in tried:
            known = learn(known, event, known.offset)
        with _progress(quiet=as_json) as progress:
            found = asyncio.run(
                replays.what_if(settings, known.policy, selection, progress, _kept(keep))
            )
    _tell_moves(found, entries=entries, as_json=as_json)


def _proposed(policy: Path | None) -> list[ControlEvent]:
    if policy is None:
        return []
    try:
        return proposals.read(policy.read_text(), clock.now())
    except OSError as error:
        raise ValueError(f"{policy} cannot be read: {error.strerror}") from error


def _tell_moves(found: list[EntryMoved], *, entries: bool, as_json: bool) -> None:
    sums = differences_of(found)
    if as_json:
        told = {
            "differences": [one.model_dump(mode="json") for one in sums],
            "entries": [one.model_dump(mode="json") for one in found],
        }
        typer.echo(json.dumps(told))
        return
    console = Console(highlight=False)
    table = Table()
    for column in ("customer", "project", "month", "decided", "then", "difference"):
        table.add_column(column)
    for one in sums:
        table.add_row(*lines.difference(one))
    console.print(table)
    for move in found if entries else ():
        console.print(lines.move(move), markup=False)
    console.print(f"{len(found)} entries would be booked otherwise; nothing was written.")


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Of what is wrong in what was asked (exit 2), or away (exit 1)."""
    try:
        yield
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    except KafkaError as error:
        sys.stderr.write(f"Kafka does not answer ({type(error).__name__}).\n")
        raise typer.Exit(1) from error


@contextmanager
def _progress(*, quiet: bool) -> Iterator[replays.Progress]:
    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("records", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _kept(keep: Path | None) -> replays.Folder | None:
    return replays.Folder(keep) if keep else None


def _selected(of: str | None) -> Selection:
    """Of a name that is neither a book's nor a customer's: ValueError."""
    if of is None:
        return Selection()
    if re.fullmatch(r"(organization|customer):\d+|none", of):
        return Selection(customer=of)
    if re.fullmatch(r"(zammad|kimai):[a-z][a-z0-9-]*:\d+", of):
        return Selection(book=of)
    raise ValueError(
        f"{of} is neither a book (zammad:desk:344) nor a customer (organization:2, customer:26, none)"
    )


def _tell_standings(found: list[Standing], *, as_json: bool) -> None:
    if as_json:
        typer.echo(replays.STANDINGS.dump_json(found).decode())
        return
    console = Console(highlight=False)
    table = Table()
    for column in ("entry", "ticket", "customer", "Zammad", "Kimai", "state", "decided"):
        table.add_column(column, overflow="fold")
    for standing in found:
        table.add_row(*map(Text, lines.row(standing)))
    console.print(table)
    console.print(lines.total(summary(found)), markup=False)


def _tell_changes(before: list[Standing], after: list[Standing], *, as_json: bool) -> None:
    changes = differences(before, after)
    if as_json:
        typer.echo(json.dumps([change.model_dump(mode="json") for change in changes]))
        return
    for change in changes:
        typer.echo(lines.change(change))
    for name, found in (("then", before), ("later", after)):
        typer.echo(f"{name}: {lines.total(summary(found))}")
    moved = lines.seconds_moved(changes)
    typer.echo(f"{len(changes)} differ; Kimai held {duration(moved)} more at the second")
