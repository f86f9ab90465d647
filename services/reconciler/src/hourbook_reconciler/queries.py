"""The SQL of this service, in files under `sql/`."""

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    return (files("hourbook_reconciler") / "sql" / f"{name}.sql").read_text()
