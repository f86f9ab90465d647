"""The stack's secrets: drawn once, kept in a file that only its owner reads."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict, Field


def _password() -> str:
    return secrets.token_urlsafe(24)


class Keys(BaseModel):
    """Passwords of the services' database roles, and the key that seals what the vault holds."""

    model_config = ConfigDict(frozen=True)

    ingest_password: str = Field(default_factory=_password)
    reconciler_password: str = Field(default_factory=_password)
    push_password: str = Field(default_factory=_password)
    query_password: str = Field(default_factory=_password)
    vault_key: str = Field(default_factory=lambda: Fernet.generate_key().decode())

    @classmethod
    def of(cls, folder: Path) -> "Keys":
        """Those in the folder; what is missing there is drawn and kept."""
        file = folder / "secrets.json"
        kept = cls.model_validate_json(file.read_bytes()) if file.exists() else cls()
        unfinished = file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as out:
            out.write(kept.model_dump_json(indent=1))
        unfinished.replace(file)
        return kept
