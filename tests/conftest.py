"""What several stories of the whole need."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from bench.browser import chromium


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium; each visit is a window of its own."""
    async with chromium() as browser:
        yield browser
