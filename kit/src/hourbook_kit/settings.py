"""What a machine must know before it can read what people have set: addresses and keys.

Everything else is a control event (architecture.md 2). Names are `HOURBOOK_<FIELD>`.
"""

import os
import sys
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

S = TypeVar("S", bound=BaseSettings)


def from_environment(kind: type[S]) -> S:
    """Settings; where something is missing or wrong, a sentence that names it (never its value) and exit 2."""
    try:
        return kind()
    except ValidationError as error:
        names = ", ".join(
            f"HOURBOOK_{str(found['loc'][0]).upper()} ({found['type']})" for found in error.errors()
        )
        sys.stderr.write(f"Set in the environment: {names}\n")
        raise SystemExit(2) from None


class KafkaSettings(BaseSettings):
    """How to reach Kafka; passwords have no default and are never logged."""

    model_config = SettingsConfigDict(env_prefix="HOURBOOK_", frozen=True, extra="ignore")

    kafka_bootstrap: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: str | None = None
    secrets_folder: Path | None = None
    """Of files named like the variables, in lower case: what is not in the environment is read there."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- pydantic's signature; we read no .env
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- knows its folder too early
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = os.environ.get("HOURBOOK_SECRETS_FOLDER")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, folder)


class ServiceSettings(KafkaSettings):
    """What all four services need."""

    database_url: SecretStr
    """Of the service's own role: it can reach its own schema and the vault's functions only."""
    vault_key: SecretStr
    """Fernet keys, newest first, separated by commas: older ones still open what they sealed."""
    host: str = "127.0.0.1"
    port: int
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    database_pool: int = 6
