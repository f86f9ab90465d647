"""The commands that look into the past: `hourbook replay`."""

import asyncio
import json
import re
import sys
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
from hourbook_contracts.audit import Standing, differences, summary
from hourbook_kit.settings import KafkaSettings, from_environment
from hourbook_reconciler import replay as replays
from hourbook_reconciler.standing import Selection

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
    try:
        places = [replays.Cut.parse(text) for text in (as_of, compare) if text] or [replays.Cut()]
        found = [_past(settings, cut, _selected(of), keep, quiet=as_json) for cut in places]
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    except KafkaError as error:
        sys.stderr.write(f"Kafka does not answer ({type(error).__name__}).\n")
        raise typer.Exit(1) from error
    if len(found) == 1:
        _tell_standings(found[0], as_json=as_json)
    else:
        _tell_changes(*found, as_json=as_json)


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


def _past(
    settings: KafkaSettings,
    cut: replays.Cut,
    selection: Selection,
    keep: Path | None,
    *,
    quiet: bool,
) -> list[Standing]:
    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("records", total=None)
        return asyncio.run(
            replays.as_of(
                settings,
                cut,
                selection,
                lambda done, of: bar.update(task, completed=done, total=of),
                replays.Folder(keep) if keep else None,
            )
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
