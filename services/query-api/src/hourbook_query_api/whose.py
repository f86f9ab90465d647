"""Whose: all identities that name one person, found through the mappings; pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from hourbook_contracts.control import MappingSet
from hourbook_contracts.installation import Installation
from hourbook_contracts.privacy import kimai_named, user_of

_CUSTOMER = "customer:"


class Identities(NamedTuple):
    """The same person's, by the tables that know them: two columns each, of one length."""

    sources: list[str]
    source_users: list[int]
    """Agents and customers of Zammad, or of another source."""
    kimai_connections: list[str]
    kimai_users: list[int]
    users: list[str]
    """Of those who sign in here."""


def expanded(identities: Iterable[str], installation: Installation) -> tuple[str, ...]:
    """With those that a mapping calls the same person, and nobody else.

    What several are mapped to (an account that agents share, a project for many) is nobody's own.
    """
    same: dict[str, set[str]] = defaultdict(set)
    for mapping in installation.policy.mappings.values():
        theirs = kimai_named(mapping.target, _KIND[mapping.kind], mapping.target_id)
        same[theirs].add(_source(mapping, installation))
    own = [(next(iter(sources)), theirs) for theirs, sources in same.items() if len(sources) == 1]
    found, known = set(identities), set[str]()
    while found != known:
        known = set(found)
        for source, theirs in own:
            if source and (source in known or (theirs in known and ":user:" in theirs)):
                found |= {source, theirs}
    return tuple(sorted(found))


_KIND = {"worker": "user", "customer": "project", "activity": "activity"}


def _source(mapping: MappingSet, installation: Installation) -> str:
    """The person a mapping is about; of an organization, a default or an activity there is none."""
    key = mapping.source_key
    if mapping.kind == "customer" and key.startswith(_CUSTOMER):
        key = key.removeprefix(_CUSTOMER)
    elif mapping.kind != "worker":
        return ""
    if not key.isdecimal():
        return ""
    source = installation.sources.get(mapping.source)
    return source.user(int(key)) if source else user_of(mapping.source, int(key))


def by_table(identities: Iterable[str]) -> Identities:
    found = Identities([], [], [], [], [])
    for identity in identities:
        match identity.split(":"):
            case ["kimai", connection, "user", number]:
                found.kimai_connections.append(connection)
                found.kimai_users.append(int(number))
            case [_, connection, "user", number]:
                found.sources.append(connection)
                found.source_users.append(int(number))
            case ["user", _]:
                found.users.append(identity)
            case _:
                pass
    return found
