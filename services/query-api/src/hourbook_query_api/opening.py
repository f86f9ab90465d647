"""Sealed text in what we tell: opened at read time, null where it is erased."""

from collections.abc import Iterator
from typing import Any

import structlog

from hourbook_contracts.sealed import Sealed
from hourbook_kit.sealing import TamperedError, unseal
from hourbook_kit.vault import Vault

log = structlog.get_logger()

_FIELDS = set(Sealed.model_fields)


async def opened(vault: Vault, told: Any) -> Any:
    """The same JSON with each sealed value replaced by its text; its field is the key it stands under."""
    subjects = {sealed["key_id"] for sealed in _sealed_in(told)}
    keys = await vault.keys_of(subjects) if subjects else {}
    return _open(told, "", keys)


def _is_sealed(part: Any) -> bool:
    return isinstance(part, dict) and part.keys() == _FIELDS


def _sealed_in(part: Any) -> Iterator[dict[str, str]]:
    if _is_sealed(part):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _sealed_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _sealed_in(inner)


def _open(part: Any, field: str, keys: dict[str, bytes | None]) -> Any:
    if _is_sealed(part):
        return _text(Sealed.model_validate(part), field, keys)
    if isinstance(part, dict):
        return {name: _open(inner, name, keys) for name, inner in part.items()}
    if isinstance(part, list):
        return [_open(inner, field, keys) for inner in part]
    return part


def _text(sealed: Sealed, field: str, keys: dict[str, bytes | None]) -> str | None:
    key = keys.get(sealed.key_id)
    if key is None:
        return None
    try:
        return unseal(sealed, key=key, field=field)
    except TamperedError:
        log.error("sealed_text_does_not_open", subject=sealed.key_id, field=field)
        return None
