"""What a test may do to this twin beyond Zammad's API, under /_twin and without authentication."""

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hourbook_simulators.zammad import seeds, shapes, units
from hourbook_simulators.zammad.memory import Memory, shown
from hourbook_simulators.zammad.records import (
    DEFAULT_SETTINGS,
    SYSTEM_USER,
    UNKNOWNS,
    Ticket,
    TimeAccounting,
    Token,
)
from hourbook_simulators.zammad.refusals import answer
from hourbook_simulators.zammad.webhooks import Courier

router = APIRouter(prefix="/_twin", include_in_schema=False)


def _memory(request: Request) -> Memory:
    memory: Memory = request.app.state.memory
    return memory


def _courier(request: Request) -> Courier:
    courier: Courier = request.app.state.courier
    return courier


In = Annotated[Memory, Depends(_memory)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WebhookWish(_Wish):
    url: str | None = None
    secret: str | None = None
    mode: Literal["always", "selective", "time_unit"] | None = None
    retry_scale: float | None = Field(default=None, ge=0)
    trigger: str | None = None


class ClockWish(_Wish):
    offset_seconds: float


class SeedWish(_Wish):
    seed: Literal["demo", "bench", "empty"] = "demo"


class TokenWish(_Wish):
    token: str
    user_id: int
    permissions: list[str] = []
    expires_on: str | None = None


class TicketWish(_Wish):
    """Without a customer: the organization's first, or the first of all."""

    title: str
    organization_id: int | None = None
    customer_id: int | None = None


class BookWish(_Wish):
    ticket_id: int
    agent_id: int
    time_unit: Decimal | int | str
    type_id: int | None = None
    created_at: AwareDatetime | None = None


@router.get("/settings")
async def show_settings(memory: In) -> dict[str, Any]:
    return memory.books.settings


@router.put("/settings")
async def change_settings(memory: In, wish: dict[str, Any]) -> dict[str, Any]:
    if unknown := wish.keys() - DEFAULT_SETTINGS.keys():
        raise HTTPException(422, f"no such setting: {', '.join(sorted(unknown))}")
    memory.books.settings.update(wish)
    memory.written()
    return memory.books.settings


@router.get("/unknowns")
async def show_unknowns(memory: In) -> dict[str, Any]:
    return memory.books.unknowns


@router.put("/unknowns")
async def choose_unknowns(memory: In, wish: dict[str, Any]) -> dict[str, Any]:
    """What is not named stays; `records.UNKNOWNS` has the choices."""
    for name, value in wish.items():
        if value not in UNKNOWNS.get(name, ()):
            choices = ", ".join(map(str, UNKNOWNS.get(name, UNKNOWNS)))
            raise HTTPException(422, f"{name}: one of {choices}")
    memory.books.unknowns.update(wish)
    memory.written()
    return memory.books.unknowns


@router.put("/webhook")
async def change_webhook(memory: In, wish: WebhookWish) -> dict[str, Any]:
    """What is not named stays."""
    for name, value in wish.model_dump(exclude_none=True).items():
        setattr(memory.books.webhook, name, value)
    memory.written()
    return asdict(memory.books.webhook)


@router.post("/clock")
async def set_clock(memory: In, wish: ClockWish) -> dict[str, Any]:
    memory.books.clock_offset_seconds = wish.offset_seconds
    memory.written()
    return {"now": memory.now()}


@router.post("/tokens")
async def add_token(memory: In, wish: TokenWish) -> dict[str, Any]:
    if wish.user_id not in memory.books.users:
        raise HTTPException(422, "no such user")
    memory.books.tokens[wish.token] = Token(wish.user_id, wish.permissions, wish.expires_on)
    memory.written()
    return wish.model_dump()


@router.post("/reset")
async def reset(
    memory: In, courier: Annotated[Courier, Depends(_courier)], wish: SeedWish
) -> dict[str, Any]:
    """Everything, the webhook, its deliveries and the clock included."""
    courier.forget()
    memory.open(seeds.plant(wish.seed))
    memory.written()
    return {"tickets": len(memory.books.tickets), "entries": len(memory.books.accountings)}


@router.get("/state")
async def show_state(memory: In) -> Response:
    tickets = [shapes.ticket_with_ids(memory, one) for one in memory.books.tickets.values()]
    entries = [shapes.accounting(one) for one in memory.books.accountings.values()]
    return answer({"tickets": tickets, "time_accountings": entries})


@router.get("/deliveries")
async def list_deliveries(memory: In) -> Response:
    """The latest last."""
    return answer(memory.books.deliveries)


@router.post("/tickets", status_code=201)
async def open_ticket(memory: In, wish: TicketWish) -> Response:
    ticket = new_ticket(memory, wish)
    return answer(shapes.ticket_with_ids(memory, ticket), 201)


@router.post("/book", status_code=201)
async def book(memory: In, wish: BookWish) -> Response:
    return answer(shapes.accounting(new_entry(memory, wish)), 201)


def new_ticket(memory: Memory, wish: TicketWish) -> Ticket:
    users = memory.books.users
    customers = [one for one in users.values() if one.organization_id is not None]
    if wish.customer_id is not None:
        customers = [users[wish.customer_id]] if wish.customer_id in users else []
    elif wish.organization_id is not None:
        customers = [one for one in customers if one.organization_id == wish.organization_id]
    if not customers:
        raise HTTPException(422, "no such customer")
    customer = customers[0]
    return memory.open_ticket(
        wish.title,
        customer.id,
        group_id=next(iter(memory.books.groups)),
        customer_id=customer.id,
        organization_id=wish.organization_id or customer.organization_id,
    )


def new_entry(memory: Memory, wish: BookWish) -> TimeAccounting:
    books = memory.books
    ticket, value = books.tickets.get(wish.ticket_id), units.read(str(wish.time_unit))
    if ticket is None or wish.agent_id not in books.users or wish.agent_id == SYSTEM_USER:
        raise HTTPException(422, "no such ticket or agent")
    if value is None or (wish.type_id is not None and wish.type_id not in books.types):
        raise HTTPException(422, "no time, or no such type")
    at = None if wish.created_at is None else shown(wish.created_at)
    return memory.book(ticket, value, wish.agent_id, type_id=wish.type_id, at=at)
