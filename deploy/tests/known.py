"""What the code says that whoever deploys it must agree with."""

import subprocess
import sys
from pathlib import Path

from pydantic_settings import BaseSettings

from hourbook_cli.jobs import JobsSettings
from hourbook_cli.migrate import MigrateSettings
from hourbook_cli.settings import DemoSettings
from hourbook_ingest_zammad.settings import Settings as IngestSettings
from hourbook_push_kimai.settings import Settings as PushSettings
from hourbook_query_api.settings import Settings as QuerySettings
from hourbook_reconciler.settings import Settings as ReconcilerSettings

ROOT = Path(__file__).parents[2]

SERVICES: dict[str, type[BaseSettings]] = {
    "ingest-zammad": IngestSettings,
    "reconciler": ReconcilerSettings,
    "push-kimai": PushSettings,
    "query-api": QuerySettings,
}
PROCESSES = SERVICES | {"jobs": JobsSettings}
"""All that stay up: the services, each of an image of its own, and the command's."""
COMMANDS: dict[str, type[BaseSettings]] = {
    "migrate": MigrateSettings,
    "migrate-post": MigrateSettings,
    "rebuild": ReconcilerSettings,
    "demo": DemoSettings,
}
STANDARD = {"OTEL_EXPORTER_OTLP_ENDPOINT", "PGSSLMODE", "PGSSLROOTCERT"}
"""Variables that libraries read: OpenTelemetry's and PostgreSQL's own names."""


def variables(settings: type[BaseSettings], *, required: bool = False) -> set[str]:
    """The names a process reads; or only those without which it does not start."""
    return {
        f"HOURBOOK_{name.upper()}"
        for name, field in settings.model_fields.items()
        if field.is_required() or not required
    }


def check_variables(of: str, settings: type[BaseSettings], told: set[str]) -> None:
    """Nothing it does not read, everything it needs."""
    strangers = told - variables(settings) - STANDARD
    missing = variables(settings, required=True) - told
    assert not strangers, f"{of} is told what it does not read: {strangers}"
    assert not missing, f"{of} is not told {missing}"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a program says, or a failed test."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def tool(name: str) -> Path:
    """Of our own environment."""
    return Path(sys.executable).with_name(name)
