"""A dossier as a page that a person can read, save and print: no script, nothing loaded from elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from hourbook_query_api.dossier import Section

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:80rem}"
    "table{border-collapse:collapse;margin:.5rem 0 2rem}"
    "th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "td{overflow-wrap:anywhere}"
)


def page(identities: Sequence[str], sections: Sequence[Section], made_at: datetime) -> str:
    body = "".join(_section(section) for section in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What Hourbook keeps about you'
        f"</title><style>{_STYLE}</style></head><body><h1>What Hourbook keeps about you</h1>"
        f"<p>Made at {escape(made_at.isoformat(timespec='seconds'))} for"
        f" {escape(', '.join(identities))}. Zammad and Kimai keep data of their own: ask for it there.</p>"
        f"{body}</body></html>"
    )


def _section(section: Section) -> str:
    heading = f'<h2 id="{section.name}">{escape(section.says)}</h2>'
    if not section.rows:
        return f"{heading}<p>Nothing.</p>"
    columns = list(section.rows[0])
    head = "".join(f'<th scope="col">{escape(_words(column))}</th>' for column in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(row[column])}</td>' for column in columns)}</tr>"
        for row in section.rows
    )
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _words(column: str) -> str:
    return column.replace("_", " ")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return escape(", ".join(str(part) for part in value))
    if isinstance(value, dict):
        parts = "".join(
            f"<li>{escape(_words(name))}: {_cell(inner)}</li>" for name, inner in value.items()
        )
        return f"<ul>{parts}</ul>"
    return escape(str(value))
