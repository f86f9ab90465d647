"""The Zammads we read from: one client each, made anew when its address or its secrets change."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from hourbook_contracts.installation import Source
from hourbook_ingest_zammad.calls import BadCredentialsError
from hourbook_ingest_zammad.zammad import Zammad
from hourbook_kit.control import ControlTail
from hourbook_kit.vault import Vault

Connect = Callable[[str, str, str | None], Zammad]
"""Address, token and webhook secret; tests give another than `Zammad`."""


class Connections:
    """Sources by name, as the control topic has them, with their clients."""

    def __init__(self, control: ControlTail, vault: Vault, connect: Connect = Zammad) -> None:
        self._control, self._vault, self._connect = control, vault, connect
        self._clients: dict[str, tuple[tuple[str, int], Zammad]] = {}
        self._retired: list[Zammad] = []

    @property
    def names(self) -> list[str]:
        return sorted(self._control.installation.sources)

    def source(self, name: str) -> Source | None:
        return self._control.installation.sources.get(name)

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next control event: take it before looking at the sources."""
        return self._control.changed

    async def changed_or(self, seconds: float) -> None:
        """Wait that long, or until somebody changed something that may help."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.changed.wait()

    async def client(self, source: Source) -> Zammad:
        """Its secrets are asked of the vault once for each version of them."""
        configured = source.configured
        version = (configured.base_url, configured.secret_version)
        known = self._clients.get(source.name)
        if known is not None and known[0] == version:
            return known[1]
        made = await self._made(source)
        if known is not None:
            self._retired.append(known[1])  # somebody may be reading with it
        self._clients[source.name] = (version, made)
        return made

    async def _made(self, source: Source) -> Zammad:
        name, version = source.name, source.configured.secret_version
        token = await self._vault.secret_of(name, "token", version)
        secret = await self._vault.secret_of(name, "webhook_secret", version)
        if token is None:
            raise BadCredentialsError(f"the vault holds no token for {name}: set it")
        return self._connect(source.configured.base_url, token, secret)

    async def close(self) -> None:
        for client in (*self._retired, *(client for _, client in self._clients.values())):
            await client.close()
