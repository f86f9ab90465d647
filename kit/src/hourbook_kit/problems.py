"""What services answer when they do not do it: problems of RFC 9457, each from its service's catalogue."""

from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


class ProblemType(NamedTuple):
    slug: str
    status: int
    title: str


class Catalogue(Enum):
    """All problems of one service, each a `ProblemType`."""

    @property
    def type(self) -> str:
        """Which never changes its meaning."""
        found: ProblemType = self.value
        return f"urn:hourbook:problem:{found.slug}"


class Problem(BaseModel):
    type: str
    title: str
    status: int
    detail: str
    """What to do, in a sentence."""
