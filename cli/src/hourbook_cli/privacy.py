"""`hourbook privacy …`: what is kept about a person, taken out; and a person forgotten by two administrators."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hourbook_cli.api import Api, ApiError, opened
from hourbook_cli.settings import ApiSettings
from hourbook_kit.settings import from_environment

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False)
T = TypeVar("T")

PATIENCE_SECONDS = 900
"""All of history is looked through."""

Whom = Annotated[
    list[str],
    typer.Argument(help="zammad:<connection>:user:<id>, kimai:<connection>:user:<id>, user:<id>"),
]
Which = Annotated[str, typer.Argument(help="an erasure's id, as `list` tells it")]


@app.callback()
def privacy() -> None:
    """Tell people what is kept about them, and forget them."""


@app.command()
def show(whom: Whom) -> None:
    """What an erasure would destroy, what would stay, and why."""
    told = _asked(lambda api: api.get("/api/privacy/person", identity=whom))
    typer.echo(f"This person is {', '.join(told['identities'])}.")
    typer.echo(f"{told['tickets']} tickets, {told['keys']} keys that would be destroyed.")
    _say_what_stays(told["stays"])


@app.command()
def export(
    whom: Whom,
    *,
    to: Annotated[Path | None, typer.Option(help="a file; the standard output without")] = None,
    html: Annotated[bool, typer.Option("--html", help="a page to read, not JSON")] = False,
) -> None:
    """Everything that is kept about a person, with sealed text opened."""
    form = "html" if html else "json"
    text = _asked(lambda api: api.text("/api/privacy/export", identity=whom, format=form))
    if not html:
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"
    if to is None:
        typer.echo(text, nl=False)
        return
    to.touch(mode=0o600)
    to.write_text(text, encoding="utf-8")


@app.command()
def erase(whom: Whom) -> None:
    """Ask that a person be forgotten; nothing is before another administrator confirms it."""
    told = _asked(lambda api: api.post("/api/privacy/erase", {"identities": whom}))
    typer.echo(f"{told['erasure']}: asked for {', '.join(told['identities'])}.")
    _say_what_stays(told["stays"])
    typer.echo(f"Another administrator confirms it: hourbook privacy confirm {told['erasure']}")


@app.command()
def confirm(erasure: Which) -> None:
    """Destroy the keys and forget the person, as another administrator asked; it cannot be undone."""
    told = _asked(lambda api: api.post(f"/api/privacy/erasures/{erasure}/confirm"))
    typer.echo(f"{told['erasure']}: {told['state']}, {told['keys']} keys destroyed.")
    _say_what_stays(told["stays"])


@app.command()
def withdraw(erasure: Which) -> None:
    """Say no to an erasure that nobody has confirmed yet."""
    _asked(lambda api: api.delete(f"/api/privacy/erasures/{erasure}"))
    typer.echo(f"{erasure}: withdrawn.")


@app.command("list")
def list_() -> None:
    """All erasures that were asked for, the newest first: ids only, to be kept beside backups."""
    for one in _asked(lambda api: api.get("/api/privacy/erasures"))["items"]:
        typer.echo(
            f"{one['erasure']} {one['state']} asked {one['asked_at']} by {one['asked_by']}:"
            f" {' '.join(one['identities'])}"
        )


def _say_what_stays(stays: list[dict[str, Any]]) -> None:
    for stay in stays:
        count = "" if stay["count"] is None else f" ({stay['count']})"
        typer.echo(f"  stays: {stay['what']}{count}. {stay['why']}")


def _asked(ask: Callable[[Api], Coroutine[Any, Any, T]]) -> T:
    async def asked() -> T:
        settings = from_environment(ApiSettings)
        async with opened(settings, timeout_seconds=PATIENCE_SECONDS) as api:
            return await ask(api)

    try:
        return asyncio.run(asked())
    except ApiError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error
