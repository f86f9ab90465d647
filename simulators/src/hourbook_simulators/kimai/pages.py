"""A page for a person: what arrived, and the means to spoil it on purpose.

What is done here is done as a super admin would in Kimai's own interface: validated, rounded,
noticed by `modified_after`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hourbook_kit.clock import now as real_now
from hourbook_simulators.kimai import writing
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.permissions import DEFAULT_ROLES, Caller
from hourbook_simulators.kimai.records import Timesheet
from hourbook_simulators.kimai.refusals import Refusal
from hourbook_simulators.kimai.zones import instant, zone

SHOWN = 200
CSS = """
body{font:15px/1.45 system-ui,sans-serif;color:#1d2733;background:#f5f6f8;
margin:2rem auto;max-width:90rem;padding:0 1rem}
h1{font-size:1.3rem}h2{font-size:1rem;margin:0 0 .6rem}
table{border-collapse:collapse;width:100%;background:#fff;border-radius:6px;box-shadow:0 1px 3px #0002}
th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #e6e9ee;vertical-align:top}
th{font-size:.8rem;color:#5b6876}tr:last-child td{border:0}
form{display:inline}
input,select,textarea,button{font:inherit;padding:.2rem .4rem;border:1px solid #c4ccd6;border-radius:4px}
textarea{width:22rem;height:2.6rem}input[type=number]{width:5rem}button{background:#eef1f5;cursor:pointer}
.card{background:#fff;border-radius:6px;box-shadow:0 1px 3px #0002;padding:1rem;margin:1rem 0}
.no{background:#fdecea;color:#8c1d18;padding:.6rem 1rem;border-radius:6px}.exported{background:#fff8e6}
label{margin-right:.8rem;white-space:nowrap}
"""


def pages(memory: Memory) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    async def show(request: Request) -> Response:
        return HTMLResponse(_page(memory, request.query_params.get("no", "")))

    async def add(request: Request) -> Response:
        form = await _form(request)
        owner = memory.users[int(form["user"])]
        begin = instant(datetime.fromisoformat(form["begin"]), owner.timezone)
        end = begin + timedelta(minutes=float(form["minutes"]))
        wanted = {
            "user": form["user"],
            "project": form["project"],
            "activity": form["activity"],
            "begin": begin.isoformat(),
            "end": end.isoformat(),
            "description": form["description"],
        }
        return _done(lambda: writing.create(memory, _person(memory), wanted, _now(memory)))

    async def act(request: Request) -> Response:
        held = memory.timesheets.get(request.path_params["id"])
        if held is None:
            return _back("This timesheet is gone.")
        form = await _form(request)
        person, at = _person(memory), _now(memory)
        match request.path_params["verb"]:
            case "edit":
                wanted = _edited(held, form)
                return _done(lambda: writing.change(memory, person, held, wanted, at))
            case "delete":
                return _done(lambda: writing.delete(memory, person, held, at))
            case "duplicate":
                return _done(lambda: writing.duplicate(memory, person, held, at))
            case "export":
                return _done(lambda: writing.toggle_export(memory, person, held, at))
            case _:
                return _back("Nobody can do that.")

    router.add_route("/", show, methods=["GET"])
    router.add_route("/add", add, methods=["POST"])
    router.add_route("/timesheets/{id:int}/{verb}", act, methods=["POST"])
    return router


def _now(memory: Memory) -> datetime:
    return memory.now(real_now())


def _person(memory: Memory) -> Caller:
    first = min(memory.users)
    return Caller(first, memory.users[first].timezone, DEFAULT_ROLES["ROLE_SUPER_ADMIN"])


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _edited(held: Timesheet, form: dict[str, str]) -> dict[str, str]:
    """Untouched minutes leave the end where it is: rounding may have set it apart from them."""
    wanted = {"description": form["description"].replace("\r\n", "\n")}
    minutes = float(form["minutes"] or 0)
    if held.end is not None and minutes != held.duration_seconds / 60:
        wanted["end"] = (held.begin + timedelta(minutes=minutes)).isoformat()
    return wanted


def _done(act: Callable[[], object]) -> Response:
    try:
        act()
    except Refusal as refusal:
        return _back(_told(refusal))
    return _back("")


def _told(refusal: Refusal) -> str:
    """All sentences of a refusal, wherever they stand in it."""
    body = refusal.body or {}
    errors = body.get("errors", {})
    texts = list(errors.get("errors", []))
    for child in errors.get("children", {}).values():
        texts += child.get("errors", [])
    return " ".join(texts) or str(body.get("message", refusal.status))


def _back(refusal: str) -> Response:
    query = f"?{urlencode({'no': refusal})}" if refusal else ""
    return RedirectResponse(f"/{query}", status_code=303)


def _page(memory: Memory, refusal: str) -> str:
    rows = sorted(memory.timesheets.values(), key=lambda row: row.id, reverse=True)
    listed = "".join(_row(row, memory) for row in rows[:SHOWN])
    empty = '<tr><td colspan="9">Nothing has arrived yet.</td></tr>'
    heads = ("#", "User", "Begin, end", "Customer, project", "Activity", "Minutes", "Description")
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Kimai twin</title>
<style>{CSS}</style><h1>Kimai twin: {len(rows)} timesheets, newest first</h1>
{f'<p class="no">{escape(refusal)}</p>' if refusal else ""}
{_add_form(memory)}
<table><tr>{"".join(f"<th>{head}</th>" for head in heads)}<th>Exported</th><th></th></tr>
{listed or empty}</table></html>"""


def _row(row: Timesheet, memory: Memory) -> str:
    user = memory.users[row.user_id]
    project = memory.projects[row.project_id]
    customer = memory.customers[project.customer_id]
    form = f"edit-{row.id}"
    minutes = f"{row.duration_seconds / 60:g}"
    text = escape(row.description or "")
    exported = "yes" if row.exported else "no"
    return f"""<tr class="{"exported" if row.exported else ""}"><td>{row.id}</td>
<td>{escape(user.alias or user.username)}</td><td>{_span(row)}</td>
<td>{escape(customer.name)}<br>{escape(project.name)}</td>
<td>{escape(memory.activities[row.activity_id].name)}</td>
<td><input form="{form}" name="minutes" type="number" step="any" value="{minutes}"></td>
<td><textarea form="{form}" name="description">{text}</textarea></td>
<td>{exported}{_button(row, "export", "toggle")}</td>
<td><form id="{form}" method="post" action="/timesheets/{row.id}/edit"><button>Save</button></form>
{_button(row, "duplicate", "Duplicate")} {_button(row, "delete", "Delete")}</td></tr>"""


def _button(row: Timesheet, verb: str, label: str) -> str:
    return (
        f' <form method="post" action="/timesheets/{row.id}/{verb}"><button>{label}</button></form>'
    )


def _span(row: Timesheet) -> str:
    """In the record's own zone."""
    here = zone(row.zone)
    begin = row.begin.astimezone(here)
    end = row.end.astimezone(here).strftime("%H:%M") if row.end else "running"
    return f"{begin:%a %Y-%m-%d}<br>{begin:%H:%M} to {end} {begin:%Z}"


def _add_form(memory: Memory) -> str:
    people = {
        user.id: user.alias or user.username
        for user in memory.users.values()
        if not user.system_account
    }
    projects = {
        project.id: f"{memory.customers[project.customer_id].name}: {project.name}"
        for project in memory.projects.values()
    }
    activities = {activity.id: activity.name for activity in memory.activities.values()}
    begin = _now(memory).astimezone(zone("Europe/Berlin")).strftime("%Y-%m-%dT09:00")
    return f"""<div class="card"><h2>Add a timesheet by hand</h2><form method="post" action="/add">
<label>User {_select("user", people)}</label><label>Project {_select("project", projects)}</label>
<label>Activity {_select("activity", activities)}</label>
<label>Begin <input name="begin" type="datetime-local" value="{begin}"></label>
<label>Minutes <input name="minutes" type="number" step="any" value="15"></label>
<label>Description <input name="description" size="40"></label><button>Add</button></form></div>"""


def _select(name: str, options: dict[int, str]) -> str:
    shown = "".join(
        f'<option value="{key}">{escape(text)}</option>' for key, text in options.items()
    )
    return f'<select name="{name}">{shown}</select>'
