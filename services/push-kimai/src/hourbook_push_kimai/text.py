"""What stands in a timesheet's description: pure."""

from hourbook_contracts.ledger import DescriptionParts
from hourbook_contracts.marker import Marker, with_marker, without_marker

TITLE_MAX = 200
BYTES_MAX = 65_000
"""Kimai's column holds 65,535 bytes and answers 500 to more (kimai-api.md 3.1)."""


def description(parts: DescriptionParts | None, title: str | None, marker: Marker) -> str:
    """`#<number> <title> [hb-…]`; a title that was erased, or never read, is left out."""
    return with_marker(_words(parts, title), marker)


def _words(parts: DescriptionParts | None, title: str | None) -> str:
    if parts is None:
        return ""
    readable = " ".join(without_marker(title).split())
    if len(readable) > TITLE_MAX:
        readable = readable[: TITLE_MAX - 1].rstrip() + "…"
    return f"#{parts.ticket_number} {readable}".rstrip()


def renumbered(written: str | None, parts: DescriptionParts | None) -> str | None:
    """A text that begins as ours did with the number of before, with the one of now; None for any other."""
    if parts is None or parts.formerly is None or written is None:
        return None
    before = f"#{parts.formerly}"
    if written != before and not written.startswith(f"{before} "):
        return None
    return f"#{parts.ticket_number}{written[len(before) :]}"


def marked(written: str | None, marker: Marker) -> str | None:
    """A person's text with this marker at its end; None where it already is so, or there is no room."""
    text = with_marker(written, marker)
    if text == written or len(text.encode()) > BYTES_MAX:
        return None
    return text
