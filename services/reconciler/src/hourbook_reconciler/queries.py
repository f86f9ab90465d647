"""The SQL of this service, in files under `sql/`."""

import re
from functools import cache
from importlib.resources import files

SCHEMA = "book"
"""Of the read model that is served; another one may be built beside it."""

_SERVED = re.compile(r"\bbook\.(?=\w)")


@cache
def query(name: str, schema: str = SCHEMA) -> str:
    """The statement on the tables of that schema."""
    return _SERVED.sub(
        f"{schema}.", (files("hourbook_reconciler") / "sql" / f"{name}.sql").read_text()
    )
