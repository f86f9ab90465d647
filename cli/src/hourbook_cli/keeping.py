"""The commands that keep the log: `hourbook backup`, `hourbook restore` and `hourbook adopt-log`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from hourbook_cli import adopting
from hourbook_cli import backup as backups
from hourbook_cli.archive import BackupError, Told
from hourbook_cli.backup import OwnerSettings
from hourbook_kit.kafka import AnotherLogError
from hourbook_kit.settings import from_environment


def backup(
    to: Annotated[str, typer.Argument(help="a file, or - for the standard output")] = "-",
) -> None:
    """Write the logs that are for ever and the vault into one file; services may go on meanwhile.

    A backup into a file that was stopped goes on where it was when it is asked for again.
    """
    settings = from_environment(OwnerSettings)
    if to == "-":
        if sys.stdout.isatty():
            raise typer.BadParameter("it would fill your screen: name a file, or send it into one")
        with _one_sentence(), _progress() as progress:
            told = asyncio.run(backups.backup(settings, sys.stdout.buffer, progress))
    else:
        half = Path(f"{to}.half")
        half.touch(mode=0o600)
        with _one_sentence(), half.open("r+b") as file, _progress() as progress:
            told = asyncio.run(backups.backup(settings, file, progress, going_on=True))
        half.replace(to)
    _say("holds", told)


def restore(
    source: Annotated[str, typer.Argument(help="a file, or - for the standard input")] = "-",
    *,
    dry_run: Annotated[
        bool, typer.Option(help="read it all, compare its checksums and restore nothing")
    ] = False,
) -> None:
    """Put a backup into an installation that was migrated and never started, or go on with that."""
    with (
        _one_sentence(),
        sys.stdin.buffer if source == "-" else Path(source).open("rb") as file,
    ):
        if dry_run:
            told = backups.check(file)
        else:
            settings = from_environment(OwnerSettings)
            with _progress() as progress:
                told = asyncio.run(backups.restore(settings, file, progress))
    _say("holds" if dry_run else "is restored:", told)


def adopt_log(
    *,
    dry_run: Annotated[bool, typer.Option(help="compare all of it and move nothing")] = False,
) -> None:
    """Go on with a restored log in a new Kafka: compares it with what was read, then moves the identity."""
    settings = from_environment(OwnerSettings)
    with _one_sentence(), _progress() as progress:
        adopted = asyncio.run(adopting.adopt(settings, progress, dry_run=dry_run))
    if adopted.was == adopted.cluster_id:
        typer.echo(f"The books were read from this Kafka ({adopted.cluster_id}): nothing to do.")
        return
    verb = "could go on" if dry_run else "go on"
    typer.echo(
        f"{adopted.compared} records are those that were read from {adopted.was or 'no Kafka yet'};"
        f" the books {verb} with {adopted.cluster_id}."
    )


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (BackupError, AnotherLogError, OSError, KafkaError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error


@contextmanager
def _progress() -> Iterator[backups.Progress]:
    """On the standard error, where a person watches: the standard output may be the backup."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("records", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _say(verb: str, told: Told) -> None:
    parts = [f"{count} in {name}" for name, count in (told.records | told.rows).items()]
    sys.stderr.write(f"The backup of {told.made_at} {verb} {', '.join(parts) or 'nothing'}.\n")
