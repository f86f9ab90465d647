"""`hourbook resync`: a plan previewed, then applied by its hash."""

import asyncio
import sys
from datetime import datetime
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from hourbook_cli import resync as resyncs
from hourbook_cli import story as stories
from hourbook_cli.sides import Range, ResyncError, ResyncSettings
from hourbook_contracts.resync import Plan
from hourbook_kit.postgres import TRANSIENT
from hourbook_kit.settings import from_environment
from hourbook_kit.vault import VaultKeyError


def resync(
    tickets: Annotated[
        list[str] | None, typer.Argument(help="tickets' numbers, or books (zammad:desk:344)")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="organization:2 or customer:26")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="a day")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="a day; else that one")
    ] = None,
    apply: Annotated[
        str | None, typer.Option(metavar="HASH", help="do this plan, exactly it or nothing")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """Read both sides anew, tell what differs and what would be done about it; do it by its hash."""
    settings = from_environment(ResyncSettings)
    range_ = Range(
        tickets=tuple(tickets or ()),
        customer=customer,
        first_on=first.date() if first else None,
        last_on=last.date() if last else None,
    )
    try:
        with Progress(console=Console(stderr=True), disable=as_json) as bar:
            task = bar.add_task("tickets", total=None)
            plan = asyncio.run(
                resyncs.resync(
                    settings,
                    range_,
                    lambda done, of: bar.update(task, completed=done, total=of),
                    only=apply,
                )
            )
    except (ResyncError, KafkaError, VaultKeyError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error
    except TRANSIENT as error:
        sys.stderr.write(
            f"The database is away, or somebody reads these tickets now ({type(error).__name__}):"
            " nothing was done, ask again.\n"
        )
        raise typer.Exit(1) from error
    typer.echo(plan.model_dump_json() if as_json else _told(plan, applied=apply is not None))


def _told(plan: Plan, *, applied: bool) -> str:
    lines = [f"{len(plan.books)} tickets were read anew."]
    for title, said in (("What differs:", plan.facts), ("What is done about it:", plan.decisions)):
        if said:
            lines += [title]
        for one in said:
            sentence = stories.sentence(one.type, one.message, one.subject)
            lines.append(f"  {one.subject}: {sentence}")
    if not plan.facts and not plan.decisions:
        return "\n".join([*lines, "Nothing differs."])
    if applied:
        return "\n".join([*lines, f"Plan {plan.hash} is applied; the rest goes its ordinary way."])
    return "\n".join([*lines, f"Nothing was done. To do exactly this: --apply {plan.hash}"])
