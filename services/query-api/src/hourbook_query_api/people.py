"""People: who is signed in, as what, and where from. A person is an id everywhere but in the vault."""

import secrets
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from hourbook_query_api.rights import Role

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks; `id` is what events and rows call them."""

    id: str
    name: str
    role: Role
    session: str


def new_user_id() -> str:
    """Random rather than counted: an older copy of the vault must not give one twice."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LETTERS))
    return f"user:{letters}"


async def person_of_session(pool: asyncpg.Pool, user: str, session: str) -> Person | None:
    """None where the session has ended or the person may no longer come in: at once, not at expiry."""
    row = await pool.fetchrow(
        "SELECT u.user_id, u.name, u.role FROM vault.sessions AS s JOIN vault.users AS u USING (user_id)"
        " WHERE s.session = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > now()"
        " AND u.active",
        session,
        user,
    )
    if row is None:
        return None
    return Person(row["user_id"], row["name"], Role(row["role"]), session)


def person_of(request: Request) -> Person:
    """As the door has found out."""
    person: Person = request.state.person
    return person


Who = Annotated[Person, Depends(person_of)]


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks, separated by commas; raises ValueError for what is neither."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def address_of(request: Request, trusted: list[IPv4Network | IPv6Network]) -> str | None:
    """Who really asks: the last address that is no proxy of ours; what others claim is not believed."""
    address = request.client.host if request.client else None
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while address is not None and _is_among(address, trusted) and forwarded:
        before = forwarded.pop().strip()
        if not _is_address(before):
            break
        address = before
    return address


def _is_among(address: str, trusted: list[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
