"""Through the mappings one person is found on both sides, and never another one."""

from hourbook_contracts.control import MappingSet, SourceConfigured
from hourbook_contracts.installation import Installation, learn
from hourbook_contracts.testing import NOON, mapping
from hourbook_query_api import whose
from hourbook_query_api.whose import by_table

ANNA, BEN = "zammad:desk:user:3", "zammad:desk:user:4"
ANNA_IN_KIMAI, SHARED = "kimai:hours:user:3", "kimai:hours:user:9"


def expanded(
    identities: list[str], rules: list[MappingSet], kind: str = "zammad"
) -> tuple[str, ...]:
    source = SourceConfigured(
        observed_at=NOON,
        by="test",
        connection="desk",
        kind=kind,
        base_url="http://z",
        secret_version=1,
    )
    known = Installation()
    for offset, event in enumerate([source, *rules]):
        known = learn(known, event, offset)
    return whose.expanded(identities, known)


def test_a_worker_is_the_kimai_user_they_are_mapped_to_and_the_other_way_round() -> None:
    rules = [mapping("worker", "3", 3)]
    assert set(expanded([ANNA], rules)) == {ANNA, ANNA_IN_KIMAI}
    assert set(expanded([ANNA_IN_KIMAI], rules)) == {ANNA, ANNA_IN_KIMAI}


def test_an_agent_of_another_kind_of_source_is_named_by_its_kind() -> None:
    assert "csv:desk:user:3" in expanded([ANNA_IN_KIMAI], [mapping("worker", "3", 3)], kind="csv")


def test_an_account_that_several_book_on_is_nobodys_own() -> None:
    rules = [mapping("worker", "3", 9), mapping("worker", "4", 9)]
    assert expanded([ANNA], rules) == (ANNA,)
    assert expanded([SHARED], rules) == (SHARED,)


def test_a_project_for_one_customer_alone_names_them() -> None:
    rules = [mapping("customer", "customer:26", 5), mapping("customer", "organization:1", 6)]
    assert set(expanded(["zammad:desk:user:26"], rules)) == {
        "zammad:desk:user:26",
        "kimai:hours:project:5",
    }


def test_a_project_that_others_are_booked_on_too_names_nobody() -> None:
    for other in ("customer:27", "organization:1", "default"):
        rules = [mapping("customer", "customer:26", 5), mapping("customer", other, 5)]
        assert expanded(["zammad:desk:user:26"], rules) == ("zammad:desk:user:26",)


def test_an_activity_of_the_same_number_is_no_person() -> None:
    assert expanded([ANNA], [mapping("activity", "3", 3)]) == (ANNA,)


def test_identities_are_sorted_by_who_knows_them() -> None:
    theirs = by_table([ANNA, BEN, ANNA_IN_KIMAI, "kimai:hours:project:5", "user:abc"])
    assert (theirs.source_users, theirs.kimai_users, theirs.users) == ([3, 4], [3], ["user:abc"])
