"""Which name in Kimai a name in Zammad likely is: pure. A suggestion, never an answer."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_FORMS = {"gmbh", "mbh", "ag", "kg", "ug", "ev", "inc", "ltd", "llc", "sa", "sarl", "sas", "co"}


class Choice(NamedTuple):
    id: int
    name: str


def likeliest(name: str, choices: Iterable[Choice]) -> Choice | None:
    """The one of the same name; else the only one that has all its words, or all of whose words it has."""
    wanted = _words(name)
    if not wanted:
        return None
    known = [(choice, _words(choice.name)) for choice in choices]
    for matches in (
        [choice for choice, words in known if words == wanted],
        [choice for choice, words in known if words and (words >= wanted or words <= wanted)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            return None
    return None


def _words(name: str) -> frozenset[str]:
    """Without accents, case, punctuation, and what a company is by law."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(re.findall(r"\w+", plain)) - _FORMS
