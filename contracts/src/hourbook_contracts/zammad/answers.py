"""What an answer of Zammad's means, and the sentence that says what to do about it (zammad-api.md 1.2). Pure.

Zammad answers us in JSON whatever happens, because we ask for it: anything else comes from something
that stands before it. Texts differ between versions, so the status decides and a text only explains.
Bodies are never repeated: they may hold names.
"""

import json
from enum import StrEnum
from typing import NamedTuple

OK, NOT_FOUND, UNPROCESSABLE, TOO_MANY = 200, 404, 422, 429
UNAUTHORIZED, FORBIDDEN = 401, 403
FIRST_SUCCESS, FIRST_REDIRECT, FIRST_REFUSAL, FIRST_FAILURE = 200, 300, 400, 500


class Meaning(StrEnum):
    TOLD = "told"
    """It is what we asked for."""
    GONE = "gone"
    """Zammad has no such thing."""
    CREDENTIALS = "credentials"
    """It does not take our token: a person has to act."""
    PERMISSION = "permission"
    """Our token may not do this: a person has to act."""
    AWAY = "away"
    """It does not answer, or not as itself: we ask again."""
    REFUSED = "refused"
    """It finds our question wrong, or we its answer."""


class Outcome(NamedTuple):
    meaning: Meaning
    sentence: str


TOLD = Outcome(Meaning.TOLD, "Answered.")
GONE = Outcome(Meaning.GONE, "Zammad does not have this (404).")
LACKS = (
    "Zammad lets this token read no time (403): its permissions must be `admin.time_accounting` and"
    " `ticket.agent`, of the token and of its account's role."
)

_CREDENTIALS = (
    ("expired", "The token has expired: make a new one in Zammad and store it here."),
    (
        "Login failed",
        "The account of the token is inactive: activate it in Zammad, or store another account's token.",
    ),
    (
        "Two-factor",
        "The account has two-factor authentication and no token was taken: store an access token here.",
    ),
)
_UNKNOWN_TOKEN = "Zammad does not know this token: make a new one in Zammad and store it here."  # noqa: S105 -- a sentence
_FORBIDDEN = (
    (
        "access disabled",
        "Zammad takes no access tokens: switch them on in Zammad under System → API.",
    ),
    (
        "Authentication required",
        "Zammad saw no token: something before it strips the Authorization header.",
    ),
    ("authorization failed", LACKS),
    ("Not authorized (token)", LACKS),
    ("Not authorized (user)", LACKS),
    (
        "Not enabled",
        "Time accounting is switched off: switch it on in Zammad under Manage → Time Accounting.",
    ),
    (
        "Not authorized",
        "The token's account may not read this (403): give it `read` on the ticket's group in Zammad.",
    ),
)


def outcome(status: int, content_type: str, body: bytes) -> Outcome:
    """What this answer means to whoever wanted to read."""
    if FIRST_SUCCESS <= status < FIRST_REDIRECT:
        return _success(status, content_type, body)
    if status < FIRST_REFUSAL:
        return _away(
            f"Zammad answers with a redirect ({status}): look whether the address is right,"
            " https and host included."
        )
    if "json" not in content_type:
        return _away(
            f"Something before Zammad answers in its place ({status}): look at the proxy, and whether"
            " Zammad runs."
        )
    if status >= FIRST_FAILURE:
        return _away(f"Zammad itself failed ({status}): its log says why.")
    return _refusal(status, _text(body))


def _success(status: int, content_type: str, body: bytes) -> Outcome:
    if "json" not in content_type:
        return _away(
            "A web page answers where Zammad's API should: look whether the address is right."
        )
    if status != OK:
        return _refused(f"Zammad answers {status} to a question: is it newer than this version?")
    try:
        json.loads(body)
    except ValueError:
        return _away("An answer of Zammad's breaks off: look at the network and the proxy.")
    return TOLD


def _refusal(status: int, text: str) -> Outcome:
    match status:
        case 401:
            return Outcome(Meaning.CREDENTIALS, _first(_CREDENTIALS, text) or _UNKNOWN_TOKEN)
        case 403 if "Maintenance" in text:
            return _away("Zammad is in maintenance mode: we go on when it is over.")
        case 403:
            return Outcome(Meaning.PERMISSION, _first(_FORBIDDEN, text) or LACKS)
        case 404:
            return GONE
        case 429:
            return _away("Zammad, or a proxy before it, takes no more requests for a while (429).")
        case _:
            return _refused(
                f"Zammad finds our question wrong ({status}): is it newer than this version?"
            )


def _first(sentences: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((sentence for part, sentence in sentences if part.lower() in text.lower()), None)


def _text(body: bytes) -> str:
    """Of an error: `error_human` where there is one, else `error`."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    return str(said.get("error_human") or said.get("error") or "")


def _away(sentence: str) -> Outcome:
    return Outcome(Meaning.AWAY, sentence)


def _refused(sentence: str) -> Outcome:
    return Outcome(Meaning.REFUSED, sentence)
