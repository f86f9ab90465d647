"""The sources we read from: one client each, made anew when its address or its secrets change."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from hourbook_contracts.installation import Source
from hourbook_kit.control import ControlTail
from hourbook_kit.source import protocol
from hourbook_kit.source.protocol import BadCredentialsError
from hourbook_kit.vault import Vault


class Connections:
    """Sources by name, as the control topic has them, with their clients; of the kinds that we know."""

    def __init__(
        self, control: ControlTail, vault: Vault, connectors: Mapping[str, protocol.Connector]
    ) -> None:
        self._control, self._vault, self._connectors = control, vault, connectors
        self._clients: dict[str, tuple[tuple[str, int], protocol.Source]] = {}
        self._retired: list[protocol.Source] = []

    @property
    def names(self) -> list[str]:
        return sorted(name for name in self._control.installation.sources if self.source(name))

    def source(self, name: str) -> Source | None:
        found = self._control.installation.sources.get(name)
        return found if found and found.configured.kind in self._connectors else None

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next control event: take it before looking at the sources."""
        return self._control.changed

    async def changed_or(self, seconds: float) -> None:
        """Wait that long, or until somebody changed something that may help."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.changed.wait()

    async def client(self, source: Source) -> protocol.Source:
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

    async def _made(self, source: Source) -> protocol.Source:
        name, version = source.name, source.configured.secret_version
        connector = self._connectors[source.configured.kind]
        secrets: dict[str, str] = {}
        for secret in (*connector.needs, *connector.takes):
            value = await self._vault.secret_of(name, secret, version)
            if value is not None:
                secrets[secret] = value
            elif secret in connector.needs:
                raise BadCredentialsError(f"the vault holds no {secret} for {name}: set it")
        return connector.connect(source.configured.base_url, secrets)

    async def close(self) -> None:
        for client in (*self._retired, *(client for _, client in self._clients.values())):
            await client.close()
