"""One plain page to book, edit and delete time by hand, and to see which webhooks went out."""

from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hourbook_simulators.zammad import units
from hourbook_simulators.zammad.control import BookWish, In, TicketWish, new_entry, new_ticket
from hourbook_simulators.zammad.memory import Memory
from hourbook_simulators.zammad.records import STATES, Delivery, Ticket, TimeAccounting
from hourbook_simulators.zammad.refusals import Refusal
from hourbook_simulators.zammad.seeds import ADMIN_ID, agent_ids

router = APIRouter(include_in_schema=False)
SHOWN_TICKETS = 40
SHOWN_DELIVERIES = 12

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--ink:#25615a}
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.2rem 0;opacity:.75}
article,.new{border:1px solid var(--line);border-radius:8px;margin:.8rem 0;overflow:hidden}
header{display:flex;gap:.6rem;align-items:baseline;padding:.5rem .8rem;background:var(--soft)}
header b{flex:1}table{border-collapse:collapse;width:100%}
td,th{padding:.25rem .8rem;text-align:left;border-top:1px solid var(--line);font-variant-numeric:tabular-nums}
th{font-weight:600;font-size:.85rem}td.n{text-align:right}td form{display:inline}
form.row{display:flex;flex-wrap:wrap;gap:.5rem;padding:.5rem .8rem;border-top:1px solid var(--line)}
input,select,button{font:inherit;padding:.15rem .45rem;border:1px solid var(--line);border-radius:5px}
input[name=time_unit]{width:5.5rem;text-align:right}input[name=title],input[name=url],input[name=secret]{flex:1;min-width:14rem}
button{background:var(--ink);color:#fff;border:0;cursor:pointer}button.quiet{background:none;color:inherit}
.alert{background:#b3261e;color:#fff;padding:.5rem .8rem;border-radius:8px;opacity:1;margin:1rem 0}
"""
HEAD = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Zammad twin</title>'
    f"<style>{STYLE}</style><h1>Zammad twin</h1>"
)


@router.get("/")
async def show(memory: In, said: str = "") -> HTMLResponse:
    tickets = sorted(memory.books.tickets.values(), key=lambda one: one.updated_at, reverse=True)
    setting = memory.books.settings
    unit = escape(str(setting["time_accounting_unit"]) or "not set")
    count = f"{len(tickets)} tickets, {len(memory.books.accountings)} time accountings"
    parts = [
        f"{HEAD}<p>{count}; the unit is {unit}; it is {memory.now()}.</p>",
        f'<p class="alert">{escape(said)}</p>' if said else "",
        _new_ticket(memory),
        *(_ticket(memory, one) for one in tickets[:SHOWN_TICKETS]),
        _deliveries(memory),
    ]
    return HTMLResponse("".join(parts))


def _options(choices: Iterable[tuple[int, str]], chosen: int | None = None) -> str:
    return "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
        for value, label in choices
    )


def _types(memory: Memory, chosen: int | None) -> str:
    """Those an agent may pick, and the one it has."""
    types = memory.books.types.values()
    active = [(one.id, one.name) for one in types if one.active or one.id == chosen]
    return f'<select name="type_id" aria-label="Type"><option value="">no type{_options(active, chosen)}</select>'


def _new_ticket(memory: Memory) -> str:
    customers = (
        (one.id, f"{one.name}, {memory.books.organizations[one.organization_id].name}")
        for one in memory.books.users.values()
        if one.organization_id is not None
    )
    return (
        '<div class="new"><form class="row" method="post" action="tickets">'
        '<input name="title" placeholder="A new ticket" required aria-label="Title">'
        f'<select name="customer_id" aria-label="Customer">{_options(customers)}</select>'
        "<button>Open</button></form></div>"
    )


def _ticket(memory: Memory, ticket: Ticket) -> str:
    books = memory.books
    organization = books.organizations.get(ticket.organization_id or 0)
    total = "no time" if ticket.time_unit is None else units.text(ticket.time_unit)
    agents = ((one, books.users[one].name) for one in agent_ids(books))
    entries = "".join(_entry(memory, one) for one in memory.entries(ticket.id))
    head = "<tr><th>Entry<th>Agent<th>Booked<th>Time, type<th></tr>" if entries else ""
    return (
        f"<article><header>#{ticket.number} <b>{escape(ticket.title)}</b>"
        f"{escape(organization.name) if organization else ''} · {STATES[ticket.state_id]} · {total}"
        f'</header><table>{head}{entries}</table><form class="row" method="post" action="entries">'
        f'<input type="hidden" name="ticket_id" value="{ticket.id}">'
        f'<select name="agent_id" aria-label="Agent">{_options(agents)}</select>'
        '<input name="time_unit" value="15" required aria-label="Time">'
        f"{_types(memory, None)}<button>Book</button></form></article>"
    )


def _entry(memory: Memory, entry: TimeAccounting) -> str:
    agent = memory.books.users[entry.created_by_id].name
    booked = entry.created_at[:16].replace("T", " ")
    return (
        f"<tr><td>{entry.id}<td>{escape(agent)}<td>{booked}"
        f'<td><form method="post" action="entries/{entry.id}"><input name="time_unit" '
        f'value="{units.text(entry.time_unit)}" aria-label="Time"> {_types(memory, entry.type_id)} '
        '<button class="quiet">Save</button></form>'
        f'<td class="n"><form method="post" action="entries/{entry.id}/delete">'
        '<button class="quiet">Delete</button></form></tr>'
    )


def _deliveries(memory: Memory) -> str:
    url = memory.books.webhook.url
    told = f"to {escape(url)}" if url else "nobody is told"
    latest = memory.books.deliveries[: -SHOWN_DELIVERIES - 1 : -1]
    rows = "".join(f"<tr><td>{_delivery(one)}</tr>" for one in latest)
    head = "<tr><th>At<th>Ticket<th>Outcome<th>Answers<th>Delivery</tr>" if rows else ""
    form = (
        '<div class="new"><form class="row" method="post" action="webhook">'
        f'<input name="url" type="url" placeholder="Endpoint" aria-label="Endpoint" value="{escape(url)}">'
        '<input name="secret" placeholder="HMAC SHA1 signature token" aria-label="Signature token">'
        "<button>Save</button></form></div>"
    )
    return f"<h2>Webhooks</h2><p>{told}</p>{form}<table>{head}{rows}</table>"


def _delivery(one: Delivery) -> str:
    answers = ", ".join(str(each.status or each.error) for each in one.attempts)
    cells = (one.created_at[11:19], str(one.ticket_id), one.outcome, answers, one.id)
    return "<td>".join(map(escape, cells))


async def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


def _back(said: str = "", up: str = ".") -> RedirectResponse:
    return RedirectResponse(f"{up}/?said={quote(said)}" if said else f"{up}/", 303)


@router.post("/tickets")
async def open_ticket(memory: In, request: Request) -> RedirectResponse:
    form = await _form(request)
    customer_id = int(form.get("customer_id", "0"))
    new_ticket(memory, TicketWish(title=form.get("title", "-"), customer_id=customer_id))
    return _back()


@router.post("/webhook")
async def change_webhook(memory: In, request: Request) -> RedirectResponse:
    """A secret that was left empty stays, as in Zammad's own form."""
    form = await _form(request)
    memory.books.webhook.url = form.get("url", "")
    memory.books.webhook.secret = form.get("secret") or memory.books.webhook.secret
    memory.written()
    return _back()


@router.post("/entries")
async def book(memory: In, request: Request) -> RedirectResponse:
    form = await _form(request)
    wish = BookWish(
        ticket_id=int(form.get("ticket_id", "0")),
        agent_id=int(form.get("agent_id", "0")),
        time_unit=form.get("time_unit", "").replace(",", "."),  # as Zammad's own form does
        type_id=int(form["type_id"]) if "type_id" in form else None,
    )
    try:
        new_entry(memory, wish)
    except HTTPException as error:
        return _back(str(error.detail))
    except Refusal as refusal:
        return _back(refusal.text)
    return _back()


@router.post("/entries/{entry_id}")
async def edit(memory: In, request: Request, entry_id: int) -> RedirectResponse:
    form = await _form(request)
    entry = memory.books.accountings.get(entry_id)
    value = units.read(form.get("time_unit", "").replace(",", "."))
    if entry is None or value is None:
        return _back("It has gone, or that was no time.", "..")
    type_id = int(form["type_id"]) if "type_id" in form else None
    try:
        memory.rebook(entry, ADMIN_ID, {"time_unit": value, "type_id": type_id})
    except Refusal as refusal:
        return _back(refusal.text, "..")
    return _back(up="..")


@router.post("/entries/{entry_id}/delete")
async def delete(memory: In, entry_id: int) -> RedirectResponse:
    entry = memory.books.accountings.get(entry_id)
    if entry is not None:
        memory.unbook(entry, ADMIN_ID)
    return _back(up="../..")
