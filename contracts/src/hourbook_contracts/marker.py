"""The marker at the end of a timesheet's description: `[hb-<create>.<write>]`.

`create` names the create request (an HMAC under the installation's key, so nobody can guess one),
`write` is the generation of the last write. It is lower-case base32 and digits only: `_` and `%` are
wildcards in Kimai's search, and a word with `:` never matches a description (kimai-api.md 2.4).
"""

import base64
import hashlib
import hmac
import re
from typing import NamedTuple

_PATTERN = re.compile(r"\[hb-([a-z2-7]{16})\.(\d{1,9})\]")


class Marker(NamedTuple):
    create: str
    write: int

    def __str__(self) -> str:
        return f"{self.create}.{self.write}"

    @property
    def text(self) -> str:
        """As it stands in a description."""
        return f"[hb-{self.create}.{self.write}]"


def create_code(key: bytes, posting: str, gen: int) -> str:
    """The name of a create request: 80 bits, never the posting in the clear."""
    digest = hmac.new(key, f"{posting}|{gen}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def find(description: str | None) -> Marker | None:
    """The last marker in a description: ours stands at the end."""
    found = _PATTERN.findall(description or "")
    return Marker(found[-1][0], int(found[-1][1])) if found else None


def parse(text: str) -> Marker:
    """What `str(marker)` wrote, as on the ledger."""
    create, _, write = text.partition(".")
    return Marker(create, int(write))


def with_marker(description: str | None, marker: Marker) -> str:
    """The description with this marker at its end and no other of ours; the rest is a person's."""
    text = without_marker(description)
    return f"{text} {marker.text}" if text else marker.text


def without_marker(description: str | None) -> str:
    return _PATTERN.sub("", description or "").rstrip()
