"""Trying a connection step by step: what is well, what is not, what to change and where.

One implementation for the API's `/test` and for `hourbook doctor`. It writes nothing on either side.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from hourbook_kit import clock
from hourbook_query_api.shown import Shown

Step = Literal[
    "activities",
    "clock",
    "configuration",
    "create",
    "customers",
    "delete",
    "dns",
    "edit",
    "exported",
    "fit",
    "grace",
    "lockdown",
    "mappings",
    "overlap",
    "path",
    "projects",
    "reading",
    "search",
    "settings",
    "switched_on",
    "tickets",
    "time_accountings",
    "timesheets",
    "tls",
    "token",
    "unit",
    "users",
    "version",
    "webhook",
    "who",
    "workers",
    "zone",
]
"""What is tried; the pages have a name for each in every language."""
Level = Literal["ok", "warning", "failed", "untried"]

CERTIFICATE_DAYS = 14
SKEW_SECONDS = 120
"""The poll of a Kimai overlaps by five minutes: more than half of that is too much."""


class TestStep(Shown):
    __test__ = False  # not pytest's

    step: Step
    ok: bool
    """False: it failed, and the sentence says what to change and where."""
    level: Level
    """`warning`: it works and should be better; `untried`: it could not be found out."""
    sentence: str
    milliseconds: int


class TestReport(Shown):
    """What was tried, in order; where a step fails, those that need it are left out."""

    __test__ = False  # not pytest's

    ok: bool
    steps: list[TestStep]
    unit: str | None = None
    """Of a Zammad: as its settings have it."""
    seconds_per_unit: int | None = None
    """What that unit would be worth; a person confirms it."""
    version: str | None = None


class Doctor:
    """One system being tried; each thing that is tried becomes a step."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        name: str,
        explain: Callable[[httpx.Response], str] | None = None,
    ) -> None:
        self.client, self.name, self._explain = client, name, explain
        self.steps: list[TestStep] = []

    def note(self, step: Step, level: Level, sentence: str, *, since: float | None = None) -> None:
        took = 0 if since is None else int((time.monotonic() - since) * 1000)
        self.steps.append(
            TestStep(
                step=step, ok=level != "failed", level=level, sentence=sentence, milliseconds=took
            )
        )

    def report(self, **more: Any) -> TestReport:
        return TestReport(ok=all(step.ok for step in self.steps), steps=self.steps, **more)

    async def reach(self, base_url: str) -> bool:
        """The network's steps: a name that is known, a port that answers, a certificate that holds."""
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        began = time.monotonic()
        try:
            await asyncio.get_running_loop().getaddrinfo(host, port)
        except (OSError, UnicodeError):
            sentence = (
                f"Nobody knows the name {host}: correct the address here, or the DNS that"
                " Hourbook's machine asks."
            )
            self.note("dns", "failed", sentence, since=began)
            return False
        self.note("dns", "ok", "The name is known.", since=began)
        if parts.scheme == "https":
            return await self._tls(host, port)
        if not _is_local(host):
            sentence = f"The token travels unencrypted: give {self.name} a certificate and write https here."
            self.note("tls", "warning", sentence)
        return True

    async def _tls(self, host: str, port: int) -> bool:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.client.timeout.connect):
                _, writer = await asyncio.open_connection(
                    host, port, ssl=httpx.create_ssl_context(), server_hostname=host
                )
        except ssl.SSLCertVerificationError as error:
            sentence = (
                f"The certificate of {host} does not hold ({error.verify_message}): renew it there, or"
                " name its authority to Hourbook's processes with SSL_CERT_FILE."
            )
            self.note("tls", "failed", sentence, since=began)
            return False
        except (OSError, TimeoutError) as error:
            sentence = (
                f"{host} does not answer at port {port} ({type(error).__name__}): look at the address"
                " here, and at the firewall between."
            )
            self.note("tls", "failed", sentence, since=began)
            return False
        certificate = writer.get_extra_info("peercert") or {}
        writer.close()
        self._certificate(host, certificate.get("notAfter"), began)
        return True

    def _certificate(self, host: str, ends: str | None, began: float) -> None:
        left = None
        if ends is not None:
            left = (ssl.cert_time_to_seconds(ends) - clock.now().timestamp()) / 86_400
        if left is not None and left < CERTIFICATE_DAYS:
            sentence = f"The certificate of {host} ends in {left:.0f} days: renew it there."
            self.note("tls", "warning", sentence, since=began)
        else:
            self.note("tls", "ok", "The certificate holds.", since=began)

    async def ask(self, step: Step, path: str, refused: str, **params: str | int) -> Any:
        """The JSON it answers with, or None; `refused` says what is missing where it may not be read."""
        answer = await self.get(step, path, refused, **params)
        return None if answer is None else answer.json()

    async def get(
        self, step: Step, path: str, refused: str, **params: str | int
    ) -> httpx.Response | None:
        """The answer itself, which is JSON; None where the step failed."""
        began = time.monotonic()
        answer, sentence = await self._get(path, refused, params)
        self.note(step, "failed" if answer is None else "ok", sentence, since=began)
        return answer

    async def _get(
        self, path: str, refused: str, params: Mapping[str, str | int]
    ) -> tuple[httpx.Response | None, str]:
        answer, sentence = await self.exchange("GET", path, params=params)
        if answer is None:
            return None, sentence
        if answer.status_code == HTTPStatus.FORBIDDEN:
            return None, refused
        if answer.status_code != HTTPStatus.OK:
            return None, (
                f"{self.name} answers {answer.status_code} at {path}: look whether the address is right."
            )
        try:
            answer.json()
        except ValueError:
            return None, (
                f"{self.name} answers with something else than JSON at {path}: is it the right address?"
            )
        return answer, "Answered."

    async def exchange(
        self, method: str, path: str, **more: Any
    ) -> tuple[httpx.Response | None, str]:
        """An answer of the system's own, or None and why there was none."""
        try:
            answer = await self.client.request(method, path, **more)
        except httpx.TimeoutException:
            return None, f"{self.name} does not answer in time: look at its address and load."
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return None, (
                f"{self.name} cannot be reached ({type(error).__name__}): look at its address and firewall."
            )
        refused = answer.status_code == HTTPStatus.UNAUTHORIZED
        failed = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        if self._explain is not None and (refused or failed):
            return None, self._explain(answer)
        if refused:
            return None, (
                f"{self.name} does not take this token: make a new one and store it here."
            )
        if failed:
            return None, (
                f"{self.name}, or a proxy before it, answers {answer.status_code}: look at its log."
            )
        return answer, "Answered."

    def clock(self, answer: httpx.Response) -> None:
        """How far the other side's clock is from ours, by the header of one of its answers."""
        try:
            there = parsedate_to_datetime(answer.headers["Date"])
        except (KeyError, ValueError):
            self.note("clock", "untried", f"{self.name} does not tell what time it is.")
            return
        self._skew(there, clock.now())

    def _skew(self, there: datetime, here: datetime) -> None:
        seconds = round((there - here).total_seconds())
        if abs(seconds) <= SKEW_SECONDS:
            self.note("clock", "ok", f"Its clock is {abs(seconds)} seconds from ours.")
            return
        which = "ahead of" if seconds > 0 else "behind"
        sentence = (
            f"Its clock is {abs(seconds)} seconds {which} ours: let both machines ask a time server"
            " (NTP), or edits there may be seen late."
        )
        self.note("clock", "failed", sentence)


@asynccontextmanager
async def calling(
    base_url: str, headers: Mapping[str, str], *, timeout_seconds: float
) -> AsyncIterator[httpx.AsyncClient]:
    """Follows no redirect: it would carry the token elsewhere."""
    async with httpx.AsyncClient(
        base_url=base_url,
        headers={**headers, "Accept": "application/json"},
        timeout=timeout_seconds,
        trust_env=False,
    ) as client:
        yield client


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
