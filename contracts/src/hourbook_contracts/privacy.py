"""What is forgotten, and how long the rest is kept; on the control topic, in ids only.

An erasure is asked by one administrator and confirmed by another. `KeysDestroyed` is the deed: whoever
hears it drops those keys for ever, and the vault's keeper destroys them, as often as the topic is read.

| identity | who |
|---|---|
| `zammad:<connection>:user:<id>` | a customer or agent of Zammad; of another source its kind stands first |
| `kimai:<connection>:user:<id>`, `…:customer:<id>`, `…:project:<id>` | whom Kimai names so |
| `user:<id>` | somebody who signs in here |
"""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from hourbook_contracts.control import ControlEvent

_KIND = _CONNECTION = "[a-z][a-z0-9-]{0,30}"
_NUMBER = "[1-9][0-9]{0,17}"

Identity = Annotated[
    str,
    StringConstraints(
        pattern=(
            rf"^({_KIND}:{_CONNECTION}:user:{_NUMBER}"
            rf"|kimai:{_CONNECTION}:(customer|project):{_NUMBER}"
            r"|user:[a-z0-9]{1,20})$"
        )
    ),
]
KeySubject = Annotated[
    str,
    StringConstraints(
        pattern=(
            rf"^({_KIND}:{_CONNECTION}:{_NUMBER}"
            r"|user:[a-z0-9]{1,20}|unreadable:[0-9-]{10})$"
        )
    ),
]
"""Whose key may be destroyed: a book's, a user's or a day's of dead letters, never the installation's own."""

UNREADABLE = "unreadable:"
SUBJECTS_MAX = 5_000
"""In one message, which a broker takes up to 1 MB of."""


def user_of(connection: str, user_id: int, kind: str = "zammad") -> str:
    """An agent or customer of a source of this kind."""
    return f"{kind}:{connection}:user:{user_id}"


def unreadable_on(day: date) -> str:
    """Under whose key messages are parked that day of which nobody knows what, and about whom, they hold."""
    return f"{UNREADABLE}{day.isoformat()}"


def kimai_named(connection: str, kind: str, id_: int) -> str:
    """Kind: `user`, `customer` or `project`; of any other kind nobody is a person."""
    return f"kimai:{connection}:{kind}:{id_}"


class ErasureEvent(ControlEvent):
    erasure: str
    """Its id."""

    @property
    def subject(self) -> str:
        return f"erasure/{self.erasure}"


class ErasureAsked(ErasureEvent):
    """An administrator wants a person forgotten; nothing is before another one confirms it."""

    TYPE: ClassVar = "hourbook.erasure_asked.v1"

    identities: tuple[Identity, ...] = Field(min_length=1)
    """All that name this one person."""


class ErasureWithdrawn(ErasureEvent):
    """It was not meant, or another administrator says no."""

    TYPE: ClassVar = "hourbook.erasure_withdrawn.v1"


class KeysDestroyed(ErasureEvent):
    """The keys of these subjects are gone, whether there were any or not, and never made again."""

    TYPE: ClassVar = "hourbook.keys_destroyed.v1"

    subjects: tuple[KeySubject, ...] = Field(max_length=SUBJECTS_MAX)


class PersonErased(ErasureEvent):
    """After all its `KeysDestroyed`: names of this person are kept nowhere from now on.

    `by` is who confirmed it.
    """

    TYPE: ClassVar = "hourbook.person_erased.v1"

    identities: tuple[Identity, ...] = Field(min_length=1)
    asked_by: str


class PersonExported(ControlEvent):
    """Somebody took out all that is kept about a person."""

    TYPE: ClassVar = "hourbook.person_exported.v1"

    identities: tuple[Identity, ...]

    @property
    def subject(self) -> str:
        return "privacy"


class RetentionSet(ControlEvent):
    """How many days records of this kind are kept from now on."""

    TYPE: ClassVar = "hourbook.retention_set.v1"

    kind: str
    """`access`, `addresses`, `deliveries` and the like; an open string."""
    days: int = Field(ge=1, le=36_500)

    @property
    def subject(self) -> str:
        return f"retention/{self.kind}"


PRIVACY_TYPES: tuple[type[ControlEvent], ...] = (
    ErasureAsked,
    ErasureWithdrawn,
    KeysDestroyed,
    PersonErased,
    PersonExported,
    RetentionSet,
)
