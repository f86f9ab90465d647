"""Who is forgotten is named by ids, and every service knows it."""

import pytest
from pydantic import ValidationError

from hourbook_contracts.installation import Installation, learn
from hourbook_contracts.privacy import (
    ErasureAsked,
    KeysDestroyed,
    PersonErased,
    RetentionSet,
    kimai_named,
    user_of,
)
from hourbook_contracts.testing import NOON

MEIER = user_of("support", 26)
AT_KIMAI = kimai_named("hours", "customer", 3)


def asked(*identities: str) -> ErasureAsked:
    return ErasureAsked(observed_at=NOON, by="user:a", erasure="e1", identities=identities)


def erased(*identities: str) -> PersonErased:
    return PersonErased(
        observed_at=NOON, by="user:b", asked_by="user:a", erasure="e1", identities=identities
    )


def test_who_is_to_be_forgotten_is_remembered_until_another_confirms_it() -> None:
    known = learn(Installation(), asked(MEIER), 0)
    assert known.erased == frozenset()
    assert learn(known, erased(MEIER, AT_KIMAI), 1).erased == {MEIER, AT_KIMAI}


def test_an_erasure_changes_no_policy() -> None:
    assert learn(Installation(), erased(MEIER), 0).policy.version == 0


@pytest.mark.parametrize(
    "identity",
    ["Mrs Meier", "meier@example.org", "zammad:support:26", "kimai:hours:tag:3", "zammad::user:1"],
)
def test_a_name_is_no_identity(identity: str) -> None:
    with pytest.raises(ValidationError):
        asked(identity)


@pytest.mark.parametrize("subject", ["installation:marker", "", "parking", "zammad:support:x"])
def test_the_installations_own_keys_cannot_be_destroyed(subject: str) -> None:
    with pytest.raises(ValidationError):
        KeysDestroyed(observed_at=NOON, by="user:b", erasure="e1", subjects=(subject,))


def test_the_last_word_on_retention_holds() -> None:
    known = Installation()
    for offset, days in enumerate((90, 30)):
        event = RetentionSet(observed_at=NOON, by="user:a", kind="access", days=days)
        known = learn(known, event, offset)
    assert known.retention == {"access": 30}
