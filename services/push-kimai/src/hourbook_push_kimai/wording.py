"""The text of a new row: its ticket's title is opened, unless the key was destroyed."""

import structlog

from hourbook_contracts.sealed import Sealed
from hourbook_kit.sealing import TamperedError, unseal
from hourbook_kit.vault import Vault
from hourbook_push_kimai.effects import Claim
from hourbook_push_kimai.text import description

log = structlog.get_logger()

TITLE = "title"


async def text_of(vault: Vault, claimed: Claim) -> str:
    """Of a new row; a row that is there keeps its own."""
    parts = claimed.request.text
    if claimed.request.op != "create":
        return ""
    title = None if parts is None else await _opened(vault, parts.title)
    return description(parts, title, claimed.marker)


async def _opened(vault: Vault, title: Sealed | None) -> str | None:
    if title is None:
        return None
    key = (await vault.keys_of([title.key_id]))[title.key_id]
    if key is None:
        return None
    try:
        return unseal(title, key=key, field=TITLE)
    except TamperedError:
        log.error("title_does_not_open", key_id=title.key_id)
        return None
