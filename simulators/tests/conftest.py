"""The office of the recordings, for the conformance rows of kimai-api.md 9."""

from collections.abc import AsyncIterator

import httpx
import pytest

from hourbook_simulators.kimai.in_process import client
from hourbook_simulators.kimai.memory import Memory
from hourbook_simulators.kimai.office import office


@pytest.fixture
def memory() -> Memory:
    return office()


@pytest.fixture
async def kimai(memory: Memory) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody calls unless a request says who."""
    async with client(memory, headers={}) as one:
        yield one
