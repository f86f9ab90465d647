"""`hourbook rebuild`: the read model made again from the ledger, in its place or beside it."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from hourbook_cli.backup import OwnerSettings
from hourbook_kit.kafka import AnotherLogError
from hourbook_kit.settings import from_environment
from hourbook_reconciler import beside as second
from hourbook_reconciler.beside import KeptOldError
from hourbook_reconciler.cores import LostProcessError
from hourbook_reconciler.rebuild import Progress as Told
from hourbook_reconciler.rebuild import rebuild as run_rebuild
from hourbook_reconciler.settings import Settings as ReconcilerSettings


def rebuild(
    *,
    beside: Annotated[
        bool, typer.Option(help="build a second one while all services go on, compare, switch")
    ] = False,
    even_if_different: Annotated[
        bool, typer.Option(help="with --beside: switch also where the two differ")
    ] = False,
    drop_old: Annotated[bool, typer.Option(help="drop the one that a switch has kept")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """Make the read model again from the ledger; 0 when it is what it was."""
    if drop_old:
        _drop_old()
    if beside:
        _beside(even_if_different=even_if_different, as_json=as_json)
    elif not drop_old:
        _in_place(as_json=as_json)


def _drop_old() -> None:
    settings = from_environment(OwnerSettings)
    dropped = asyncio.run(second.drop_old(settings.admin_database_url.get_secret_value()))
    typer.echo("dropped" if dropped else "there was none")


def _beside(*, even_if_different: bool, as_json: bool) -> None:
    settings = from_environment(OwnerSettings)
    dsn = settings.admin_database_url.get_secret_value()
    try:
        with _progress(quiet=as_json) as progress:
            built = second.rebuild_beside(
                settings, dsn, progress, even_if_different=even_if_different
            )
            done = asyncio.run(built)
    except (AnotherLogError, KeptOldError, LostProcessError, KafkaError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        same = f"DIFFERENT: {', '.join(done.differing)}" if done.differing else "the same"
        typer.echo(f"{done.messages} messages; {same}")
        typer.echo(_SWITCHED if done.switched else _NOT_SWITCHED)
    raise typer.Exit(0 if done.switched and not done.differing else 1)


_SWITCHED = "The new one is served now; the old one is kept: hourbook rebuild --drop-old"
_NOT_SWITCHED = (
    "The old one is served still. Look why they differ; --even-if-different switches all the same"
)


def _in_place(*, as_json: bool) -> None:
    settings = from_environment(ReconcilerSettings)
    with _progress(quiet=as_json) as progress:
        rebuilt = asyncio.run(run_rebuild(settings, progress))
    same = rebuilt.before_digest == rebuilt.after_digest
    if as_json:
        typer.echo(json.dumps({**asdict(rebuilt), "same": same}))
    else:
        typer.echo(f"before {rebuilt.before_digest}\nafter  {rebuilt.after_digest}")
        rate = rebuilt.messages / rebuilt.seconds if rebuilt.seconds else 0
        typer.echo(f"{rebuilt.messages} messages in {rebuilt.seconds:.1f} s ({rate:.0f}/s)")
        typer.echo("the same" if same else f"DIFFERENT: {', '.join(rebuilt.differing)}")
    raise typer.Exit(0 if same else 1)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Told]:
    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("messages", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
