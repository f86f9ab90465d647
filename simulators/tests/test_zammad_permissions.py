"""Who may what, and the words of a refusal (zammad-api.md 1)."""

from collections.abc import AsyncIterator

import pytest

from hourbook_simulators.zammad.in_process import Twin, opened

pytestmark = pytest.mark.anyio
ADMIN, ANNA, JULIA = 2, 3, 8
ENTRY = "/tickets/1/time_accountings"


@pytest.fixture
async def twin() -> AsyncIterator[Twin]:
    async with opened() as one:
        yield one


async def test_row_38_without_credentials_it_is_403_with_the_reason_in_a_header(twin: Twin) -> None:
    del twin.http.headers["authorization"]
    answer = await twin.ask("GET", "/tickets")
    assert answer.status_code == 403
    assert answer.headers["x-failure"] == "Authentication required"
    assert answer.json() == {
        "error": "Authentication required",
        "error_human": "Authentication required",
    }


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Token token=wrong", "Can't find User for Token"),
        ("Bearer wrong", "The provided token is invalid."),
        ("Basic YTpi", "Invalid BasicAuth credentials"),
    ],
)
async def test_row_39_wrong_credentials_are_401(twin: Twin, header: str, text: str) -> None:
    answer = await twin.ask("GET", "/tickets", authorization=header)
    assert (answer.status_code, answer.json()["error"], answer.headers["x-failure"]) == (
        401,
        text,
        text,
    )


@pytest.mark.parametrize("scheme", ["Token token={}", 'Token token="{}"', "Token {}", "Bearer {}"])
async def test_row_44_a_token_comes_in_four_forms(twin: Twin, scheme: str) -> None:
    header = scheme.format("zammad-demo-token")
    answer = await twin.ask("GET", "/users/me", authorization=header)
    assert answer.json()["login"] == "admin"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_row_42_a_token_is_worth_what_both_it_and_its_user_may(twin: Twin) -> None:
    narrow = twin.token(ADMIN, "ticket.agent")
    refused = await twin.ask("DELETE", "/time_accountings/1", authorization=narrow)
    assert (refused.status_code, refused.json()["error"]) == (403, "Token authorization failed.")
    wide = twin.token(ANNA, "admin", "ticket.agent")
    refused = await twin.ask("DELETE", "/time_accountings/1", authorization=wide)
    assert (refused.status_code, refused.json()["error"]) == (403, "User authorization failed.")


async def test_an_older_zammad_has_other_words(twin: Twin) -> None:
    await twin.control("PUT", "/settings", {"version": "6.2.0"})
    narrow = twin.token(ADMIN, "ticket.agent")
    refused = await twin.ask("DELETE", "/time_accountings/1", authorization=narrow)
    assert refused.json()["error"] == "Not authorized (token)!"


async def test_rows_40_41_43_a_switched_off_expired_or_resting_token_opens_nothing(
    twin: Twin,
) -> None:
    expired = twin.token(ANNA, "ticket.agent")
    twin.memory.books.tokens[expired.removeprefix("Token token=")].expires_on = twin.memory.now()[
        :10
    ]
    answer = await twin.ask("GET", "/tickets", authorization=expired)
    assert (answer.status_code, answer.json()["error"]) == (401, "Not authorized (token expired)!")
    resting = twin.token(ANNA, "ticket.agent")
    twin.memory.books.users[ANNA].active = False
    answer = await twin.ask("GET", "/tickets", authorization=resting)
    assert answer.json()["error"].startswith("Login failed.")
    await twin.control("PUT", "/settings", {"api_token_access": False})
    answer = await twin.ask("GET", "/tickets")
    assert (answer.status_code, answer.json()["error"]) == (403, "API token access disabled!")


async def test_rows_6_8_an_agent_who_may_change_a_ticket_reads_and_books_but_does_not_edit(
    twin: Twin,
) -> None:
    agent = twin.token(ANNA, "ticket.agent")
    assert len(await twin.get(ENTRY, authorization=agent)) == 3
    assert (await twin.get(f"{ENTRY}/1", authorization=agent))["id"] == 1
    booked = await twin.ask("POST", ENTRY, {"time_unit": 5}, authorization=agent)
    assert (booked.status_code, booked.json()["created_by_id"]) == (201, ANNA)
    for method in ("PUT", "DELETE"):
        answer = await twin.ask(method, f"{ENTRY}/1", {"time_unit": 1}, authorization=agent)
        assert answer.status_code == 403


async def test_an_agent_names_a_ticket_to_read_time(twin: Twin) -> None:
    agent = twin.token(ANNA, "ticket.agent")
    assert (await twin.ask("GET", "/time_accountings", authorization=agent)).status_code == 403
    assert len(await twin.get("/time_accountings?ticket_id=1", authorization=agent)) == 3
    gone = await twin.ask("GET", "/tickets/999/time_accountings", authorization=agent)
    assert gone.status_code == 404


@pytest.mark.parametrize("access", [[], ["read"]])
async def test_rows_2_10_reading_the_group_is_not_enough_for_time(
    twin: Twin, access: list[str]
) -> None:
    agent = twin.token(ANNA, "ticket.agent")
    twin.memory.books.users[ANNA].group_access = {1: access}
    for method, path in (("GET", ENTRY), ("POST", ENTRY), ("GET", f"{ENTRY}/1")):
        answer = await twin.ask(
            method, path, {"time_unit": 1} if method == "POST" else None, authorization=agent
        )
        assert (answer.status_code, answer.json()["error"]) == (403, "Not authorized")
    assert (await twin.ask("GET", "/tickets/1", authorization=agent)).status_code == (
        200 if access else 403
    )


async def test_row_11_an_administrator_of_time_needs_no_group(twin: Twin) -> None:
    twin.memory.books.users[ADMIN].group_access = {}
    header = twin.token(ADMIN, "admin.time_accounting")
    assert len(await twin.get(ENTRY, authorization=header)) == 3
    assert len(await twin.get("/time_accountings", authorization=header)) == 15
    assert (await twin.ask("GET", "/tickets/1", authorization=header)).status_code == 403


async def test_row_12_a_customer_reads_tickets_and_no_time(twin: Twin) -> None:
    customer = twin.token(JULIA, "ticket.customer")
    assert (await twin.get("/tickets/1", authorization=customer))["customer_id"] == JULIA
    assert (await twin.ask("GET", "/tickets/3", authorization=customer)).status_code == 403
    assert [one["id"] for one in await twin.get("/tickets", authorization=customer)] == [1, 2]
    assert (await twin.ask("GET", ENTRY, authorization=customer)).status_code == 403


async def test_row_9_with_the_feature_off_agents_do_not_book(twin: Twin) -> None:
    await twin.control("PUT", "/settings", {"time_accounting": False})
    agent = twin.token(ANNA, "ticket.agent")
    refused = await twin.ask("POST", ENTRY, {"time_unit": 5}, authorization=agent)
    assert refused.json()["error"] == "Not authorized (Time Accounting is not enabled)!"
    assert (await twin.ask("GET", ENTRY, authorization=agent)).status_code == 200
    assert (await twin.ask("POST", ENTRY, {"time_unit": 5})).status_code == 201


@pytest.mark.parametrize("name", ["3", "anna.berg", "Anna.BERG@example.org"])
async def test_row_45_an_administrator_acts_for_another(twin: Twin, name: str) -> None:
    booked = await twin.ask("POST", ENTRY, {"time_unit": 5}, From=name)
    assert booked.json()["created_by_id"] == ANNA
    assert (await twin.ask("DELETE", f"{ENTRY}/1", From=name)).status_code == 403


async def test_row_46_acting_for_nobody_or_without_the_right_is_refused(twin: Twin) -> None:
    answer = await twin.ask("GET", "/users/me", From="nobody")
    assert answer.json()["error"] == "No such user 'nobody'"
    agent = twin.token(ANNA, "ticket.agent")
    answer = await twin.ask("GET", "/users/me", From="4", authorization=agent)
    text = "Current user has no permission to use 'From'/'X-On-Behalf-Of'!"
    assert answer.json()["error"] == text


async def test_row_48_technical_errors_are_for_administrators(twin: Twin) -> None:
    path = f"{ENTRY}?sort_by=foo"
    assert (await twin.ask("GET", path)).json() == {
        "error": "Found invalid column 'foo' for sorting."
    }
    masked = await twin.ask("GET", path, From="3")
    assert masked.status_code == 500
    assert masked.json()["error"].startswith("Error ID ")


async def test_row_49_who_does_not_ask_for_json_gets_a_page(twin: Twin) -> None:
    answer = await twin.ask("GET", "/tickets/999", Accept="text/html,*/*;q=0.8")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


async def test_row_47_an_unknown_path_is_404_and_says_so_as_its_version_does(twin: Twin) -> None:
    assert (await twin.ask("GET", "")).json()["error"] == "This page doesn't exist."
    await twin.control("PUT", "/settings", {"version": "6.2.0"})
    answer = await twin.ask("GET", "?foo=bar")
    assert (answer.status_code, answer.json()["error"]) == (404, "No route matches [GET] /api/v1")


async def test_settings_show_what_the_caller_may_see(twin: Twin) -> None:
    narrow = twin.token(ADMIN, "admin.time_accounting")
    rows = await twin.get("/settings", authorization=narrow)
    values = {row["name"]: row["state_current"]["value"] for row in rows}
    assert values["time_accounting_unit"] == "minute"
    assert all(name.startswith("time_accounting") for name in values)


async def test_the_public_part_of_the_settings_is_for_everybody(twin: Twin) -> None:
    known = await twin.get("/signshow")
    assert known["config"]["time_accounting_unit"] == "minute"
    assert len(known["assets"]["TicketTimeAccountingType"]) == 5
    unknown = await twin.get("/signshow", authorization="Token token=wrong")
    assert "error" in unknown
    assert unknown["config"] == known["config"]
