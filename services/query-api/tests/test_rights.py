"""Role by operation, from the document: who may less is refused everywhere, before anything is looked at."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from hourbook_query_api.openapi import made
from hourbook_query_api.rights import PUBLIC, Role
from hourbook_query_api.testing import House

pytestmark = pytest.mark.anyio

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation.get("x-role"))
    for path, operations in made()["paths"].items()
    for method, operation in operations.items()
}
PLACES = {
    "name": "no-such-connection",
    "entry": "zammad:desk:1",
    "book": "zammad:desk:1",
    "user": "user:nobody",
}


def somewhere(path: str) -> str:
    """The path with names of nothing that is there."""
    return re.sub(r"{(\w+)}", lambda found: PLACES.get(found[1], "nothing"), path)


@pytest.fixture(scope="module")
async def people(house: House) -> AsyncIterator[dict[Role, httpx.AsyncClient]]:
    async with AsyncExitStack() as here:
        yield {role: await here.enter_async_context(house.somebody(role.value)) for role in Role}


def test_every_operation_is_public_or_has_a_role() -> None:
    assert {name for name, (_, _, role) in OPERATIONS.items() if role is None} == PUBLIC
    assert {role for _, _, role in OPERATIONS.values()} == {None, *(r.value for r in Role)}


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - PUBLIC))
@pytest.mark.parametrize("role", Role)
async def test_a_role_may_what_the_document_says(
    people: dict[Role, httpx.AsyncClient], operation: str, role: Role
) -> None:
    """A body that is no JSON goes through the door and no further."""
    method, path, needed = OPERATIONS[operation]
    if role.may(Role(needed)) and (method == "GET" or "{" not in path):
        return
    answer = await people[role].request(method, somewhere(path), content=b"{")
    if role.may(Role(needed)):
        assert answer.status_code in {404, 409, 422}
    else:
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "urn:hourbook:problem:not-allowed"


@pytest.mark.parametrize("operation", sorted(OPERATIONS.keys() - PUBLIC))
async def test_a_stranger_may_nothing(house: House, operation: str) -> None:
    method, path, _ = OPERATIONS[operation]
    async with house.stranger() as stranger:
        for token in (None, "Bearer wrong", "Basic b3BlcmF0b3I6eA=="):
            headers = {"Authorization": token} if token else {}
            answer = await stranger.request(method, somewhere(path), headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
