"""The API as the command uses it: one client, and its problems as sentences."""

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx

from hourbook_cli.settings import ApiSettings


class ApiError(Exception):
    """What the API would not do, and what to do about it."""


class Api:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **params: str | list[str]) -> Any:
        return await self._call("GET", path, params=params)

    async def text(self, path: str, **params: str | list[str]) -> str:
        """What is there, as it came."""
        answer = await self._send("GET", path, params=params)
        return answer.text if answer.is_success else str(_read(answer))

    async def find(self, path: str) -> Any | None:
        """None where there is nothing."""
        answer = await self._send("GET", path)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else _read(answer)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self._call("POST", path, json=body)

    async def put(self, path: str, body: Any) -> Any:
        return await self._call("PUT", path, json=body)

    async def delete(self, path: str, **params: str) -> Any:
        return await self._call("DELETE", path, params=params)

    async def post_new(self, path: str, body: Any) -> bool:
        """Whether it was made; False where there was one already."""
        answer = await self._send("POST", path, json=body)
        if answer.status_code == HTTPStatus.CONFLICT:
            return False
        _read(answer)
        return True

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        return _read(await self._send(method, path, **more))

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, **more)
        except httpx.TransportError as error:
            where = self._client.base_url
            raise ApiError(f"{where} does not answer ({type(error).__name__}).") from error


def _read(answer: httpx.Response) -> Any:
    if not answer.is_success:
        try:
            told = answer.json()
            sentence = f"{told['title']}. {told['detail']}"
        except (ValueError, LookupError, TypeError):
            sentence = f"It answers {answer.status_code}."
        raise ApiError(f"{answer.request.method} {answer.request.url.path}: {sentence}")
    return answer.json() if answer.content else None


class SignIn(httpx.Auth):
    """Signs in when it is asked to, and again when the session has ended."""

    requires_response_body = True

    def __init__(self, settings: ApiSettings) -> None:
        if not settings.user:
            raise ApiError("Set HOURBOOK_USER, and HOURBOOK_PASSWORD or HOURBOOK_PASSWORD_FILE.")
        self._login = {"name": settings.user, "password": password_of(settings)}
        self._url = f"{settings.api_url}/api/auth/login"
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code != HTTPStatus.UNAUTHORIZED:
            return
        signed_in = _read((yield httpx.Request("POST", self._url, json=self._login)))
        self._token = signed_in["access_token"]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def password_of(settings: ApiSettings) -> str:
    if settings.password:
        return settings.password.get_secret_value()
    file = settings.password_file
    if file is None:
        raise ApiError("Set HOURBOOK_PASSWORD, or HOURBOOK_PASSWORD_FILE to its file.")
    try:
        return file.read_text().strip()
    except OSError as error:
        raise ApiError(f"The password cannot be read from {file}: {error.strerror}.") from error


@asynccontextmanager
async def opened(settings: ApiSettings, *, timeout_seconds: float = 10) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(
        base_url=settings.api_url,
        auth=SignIn(settings),
        timeout=timeout_seconds,
        trust_env=False,
    ) as client:
        yield Api(client)
