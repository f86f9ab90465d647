"""A Zammad, tried: may the token read what we need, what is a unit worth, does its webhook reach us signed."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from hourbook_query_api.connector_models import ZammadConnector
from hourbook_query_api.doctor import Doctor, TestReport

SECONDS_OF_UNIT = {"minute": 60, "quarter": 900, "hour": 3600}
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
    settings = await doctor.ask(
        "settings",
        "/settings",
        f"This token may not read the settings: give it `{ACCOUNTING}`, or confirm the unit by hand.",
    )
    values = _values(settings)
    if settings is not None:
        _switched_on(doctor, values)
    unit = values.get("time_accounting_unit") or None
    _unit(doctor, known.connector, unit)
    _zone(doctor, known.connector, values.get("timezone_default"))
    await _webhook(doctor, known)
    return doctor.report(unit=unit, seconds_per_unit=SECONDS_OF_UNIT.get(str(unit)))


async def _accountings(doctor: Doctor) -> None:
    """The list over all tickets, which there is since 6.2 (zammad-api.md 0.1)."""
    answer, sentence = await doctor.exchange("GET", "/time_accountings", params={"per_page": 1})
    if answer is None:
        doctor.note("time_accountings", "failed", sentence)
    elif answer.status_code == HTTPStatus.FORBIDDEN:
        sentence = f"This token may not read time accountings: give its account `{ACCOUNTING}`."
        doctor.note("time_accountings", "failed", sentence)
    elif answer.status_code == HTTPStatus.NOT_FOUND:
        sentence = "This Zammad has no list of all time accountings: update it to 6.2 or newer."
        doctor.note("time_accountings", "failed", sentence)
    elif answer.status_code != HTTPStatus.OK:
        doctor.note("time_accountings", "failed", f"Zammad answers {answer.status_code}.")
    else:
        doctor.note("time_accountings", "ok", "Answered.")


def _values(rows: Any) -> dict[str, Any]:
    """Zammad's settings by name (zammad-api.md 2.5)."""
    if not isinstance(rows, list):
        return {}
    return {
        row["name"]: (row.get("state_current") or {}).get("value")
        for row in rows
        if isinstance(row, dict) and "name" in row
    }


def _switched_on(doctor: Doctor, values: dict[str, Any]) -> None:
    if values.get("time_accounting"):
        doctor.note("switched_on", "ok", "Time accounting is on.")
        return
    sentence = "Time accounting is off: switch it on in Zammad, or agents cannot book."
    doctor.note("switched_on", "failed", sentence)


def _unit(doctor: Doctor, connector: ZammadConnector, unit: str | None) -> None:
    confirmed = connector.units[-1] if connector.units else None
    says = f"Zammad says one unit is a {unit}" if unit else "Zammad does not say what a unit is"
    if confirmed is None:
        doctor.note("unit", "failed", f"{says}: confirm here what a unit is worth.")
    elif unit and confirmed.unit != unit:
        sentence = (
            f"{says}, and here a {confirmed.unit} was confirmed: confirm from when on it changed."
        )
        doctor.note("unit", "failed", sentence)
    else:
        doctor.note("unit", "ok", "Its unit is confirmed.")


def _zone(doctor: Doctor, connector: ZammadConnector, zone: Any) -> None:
    """Only told where it is known: agents' days are their own, and are mapped with them."""
    if isinstance(zone, str) and zone and zone != connector.time_zone:
        sentence = f"Zammad is in {zone} and this connection in {connector.time_zone}: set it here."
        doctor.note("zone", "warning", sentence)


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
