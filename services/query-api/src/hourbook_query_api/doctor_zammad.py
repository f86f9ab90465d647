"""A Zammad, tried: may the token read what we need, what is a unit worth, does its webhook reach us signed."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx

from hourbook_contracts.zammad.answers import outcome
from hourbook_contracts.zammad.units import (
    SECONDS_OF_UNIT,
    SaidUnit,
    said_in_settings,
    said_in_signshow,
    setting,
)
from hourbook_query_api.connector_models import ZammadConnector
from hourbook_query_api.doctor import Doctor, TestReport

OLDEST = (6, 2)
"""It has the list of all time accountings (zammad-api.md 9)."""
ACCOUNTING = "admin.time_accounting"


@dataclass(frozen=True, slots=True)
class Known:
    connector: ZammadConnector
    webhook_secret: str | None
    last_delivery_at: datetime | None
    """Of one whose signature was right."""


async def examine(doctor: Doctor, known: Known) -> TestReport:
    """From the network to the webhook; what needs a step that failed is left out."""
    if not await doctor.reach(known.connector.base_url):
        return doctor.report()
    me = await doctor.get("who", "/users/me", "This token may do nothing: switch on API tokens.")
    if me is None:
        return doctor.report()
    doctor.clock(me)
    await _accountings(doctor)
    await doctor.ask(
        "tickets",
        "/tickets",
        "This token may not read tickets: give its account `ticket.agent` with `read` on the groups.",
        per_page=1,
    )
    version = await _version(doctor)
    await _search(doctor)
    said = await _said_unit(doctor, known.connector)
    if said is not None and not said.switched_on:
        sentence = "Time accounting is off: switch it on in Zammad, or agents cannot book."
        doctor.note("switched_on", "failed", sentence)
    elif said is not None:
        doctor.note("switched_on", "ok", "Time accounting is on.")
    _unit(doctor, known.connector, said)
    await _webhook(doctor, known)
    unit = said.unit if said else ""
    return doctor.report(
        version=version, unit=unit or None, seconds_per_unit=SECONDS_OF_UNIT.get(unit)
    )


def explained(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "")
    return outcome(answer.status_code, kind, answer.content).sentence


async def _accountings(doctor: Doctor) -> None:
    """The list over all tickets, which there is since 6.2 (zammad-api.md 0.1)."""
    answer, sentence = await doctor.exchange("GET", "/time_accountings", params={"per_page": 1})
    if answer is None:
        doctor.note("time_accountings", "failed", sentence)
    elif answer.status_code == HTTPStatus.FORBIDDEN:
        sentence = f"This token may not read time accountings: give its account `{ACCOUNTING}`."
        doctor.note("time_accountings", "failed", f"{sentence} {explained(answer)}")
    elif answer.status_code == HTTPStatus.NOT_FOUND:
        sentence = "This Zammad has no list of all time accountings: update it to 6.2 or newer."
        doctor.note("time_accountings", "failed", sentence)
    elif answer.status_code != HTTPStatus.OK:
        doctor.note("time_accountings", "failed", explained(answer))
    else:
        doctor.note("time_accountings", "ok", "Answered.")


async def _version(doctor: Doctor) -> str | None:
    """Told to administrators only: whoever is not told is known by what it can do."""
    answer, _ = await doctor.exchange("GET", "/version")
    if answer is None or answer.status_code != HTTPStatus.OK:
        return None
    version = str(answer.json().get("version", ""))
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        sentence = f"This Zammad is {version}, and we need 6.2 or newer: update it."
        doctor.note("version", "failed", sentence)
    else:
        doctor.note("version", "ok", f"It is {version}.")
    return version or None


async def _search(doctor: Doctor) -> None:
    """By which another customer of a ticket is found; its shape is another one from 6.5 on."""
    since = {"operator": "after (absolute)", "value": "2020-01-01T00:00:00Z"}
    question = {"condition": {"ticket.updated_at": since}, "per_page": 1}
    answer, sentence = await doctor.exchange("POST", "/tickets/search", json=question)
    if answer is not None and answer.status_code == HTTPStatus.OK:
        found = answer.json()
        if isinstance(found, list) or (isinstance(found, dict) and "tickets" in found):
            which = "as from 6.5 on" if isinstance(found, list) else "as before 6.5"
            doctor.note("search", "ok", f"It searches tickets {which}.")
            return
        sentence = "It answers a search as no version we know: is it newer than this one?"
    elif answer is not None:
        sentence = explained(answer)
    lost = "Tickets cannot be searched: another customer and merges are seen by webhook only."
    doctor.note("search", "warning", f"{lost} {sentence}")


async def _said_unit(doctor: Doctor, connector: ZammadConnector) -> SaidUnit | None:
    """Of the settings, or of what every account is told at its start (zammad-api.md 2.5)."""
    for path, read in (("/settings", said_in_settings), ("/signshow", said_in_signshow)):
        answer, _ = await doctor.exchange("GET", path)
        if answer is None or answer.status_code != HTTPStatus.OK:
            continue
        body = answer.json()
        if (said := read(body)) is not None:
            doctor.note("settings", "ok", f"{said.words}.")
            _zone(doctor, connector, setting(body, "timezone_default"))
            return said
    sentence = (
        f"This token is not told the unit: give it `{ACCOUNTING}`, or confirm the unit by hand."
    )
    doctor.note("settings", "warning", sentence)
    return None


def _zone(doctor: Doctor, connector: ZammadConnector, zone: Any) -> None:
    """Only told where it is known: agents' days are their own, and are mapped with them."""
    if isinstance(zone, str) and zone and zone != connector.time_zone:
        sentence = f"Zammad is in {zone} and this connection in {connector.time_zone}: set it here."
        doctor.note("zone", "warning", sentence)


def _unit(doctor: Doctor, connector: ZammadConnector, said: SaidUnit | None) -> None:
    confirmed = connector.units[-1] if connector.units else None
    says = said.words if said else "Zammad does not tell us what a unit is"
    if confirmed is None:
        doctor.note("unit", "failed", f"{says}: confirm here what a unit is worth.")
    elif said and said.unit and confirmed.unit != said.unit:
        sentence = (
            f"{says}, and here a {confirmed.unit} was confirmed: confirm from when on it changed."
        )
        doctor.note("unit", "failed", sentence)
    else:
        doctor.note("unit", "ok", "Its unit is confirmed.")


async def _webhook(doctor: Doctor, known: Known) -> None:
    """Whether both ends know one secret: by Zammad's own record where the token may read it."""
    path = f"/api/webhook/zammad/{known.connector.name}"
    answer, _ = await doctor.exchange("GET", "/webhooks")
    rows: Any = None
    if answer is not None and answer.status_code == HTTPStatus.OK:
        rows = answer.json()
    if isinstance(rows, list):
        _configured(doctor, known, path, [row for row in rows if isinstance(row, dict)])
    elif known.last_delivery_at is not None:
        at = f"{known.last_delivery_at:%Y-%m-%d %H:%M}"
        doctor.note("webhook", "ok", f"The last delivery with our signature came at {at} UTC.")
    else:
        sentence = (
            "No delivery with our signature has come yet: book some time on a ticket, and look whether"
            f" Zammad's webhook goes to {path} with this connection's secret as its signature token."
        )
        doctor.note("webhook", "untried", sentence)


def _configured(doctor: Doctor, known: Known, path: str, rows: list[dict[str, Any]]) -> None:
    ours = [row for row in rows if str(row.get("endpoint", "")).rstrip("/").endswith(path)]
    active = [row for row in ours if row.get("active", True)]
    where = "in Zammad under System → Webhook"
    if not active:
        sentence = (
            f"No active webhook goes to …{path}: make one {where}, and a trigger that calls it."
        )
        doctor.note("webhook", "failed", sentence)
        return
    secret = known.webhook_secret or ""
    signed = [
        row
        for row in active
        if hmac.compare_digest(str(row.get("signature_token") or "").encode(), secret.encode())
    ]
    if signed:
        doctor.note("webhook", "ok", "Its webhook signs with our secret.")
    else:
        sentence = (
            f"Its webhook signs with another secret: put ours in as its signature token {where}."
        )
        doctor.note("webhook", "failed", sentence)
