"""Sealed text opens with its key alone, in its own place alone."""

import pytest

from hourbook_kit.sealing import TamperedError, new_key, seal, unseal

KEY = new_key()


def test_sealed_text_opens_with_its_key() -> None:
    sealed = seal("Drucker brennt", key=KEY, subject="zammad:desk:344", field="title")
    assert unseal(sealed, key=KEY, field="title") == "Drucker brennt"
    assert "Drucker" not in sealed.model_dump_json()


def test_the_same_text_is_the_same_without_opening_it() -> None:
    one, two, other = (seal(text, key=KEY, subject="s", field="title") for text in ("a", "a", "b"))
    assert one != two
    assert one.same_text(two)
    assert not one.same_text(other)
    assert not one.same_text(None)


def test_another_key_or_another_field_does_not_open_it() -> None:
    sealed = seal("a", key=KEY, subject="s", field="title")
    with pytest.raises(TamperedError):
        unseal(sealed, key=new_key(), field="title")
    with pytest.raises(TamperedError):
        unseal(sealed, key=KEY, field="description")
