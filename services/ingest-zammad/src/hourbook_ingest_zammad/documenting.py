"""The OpenAPI document of the webhook: FastAPI's, with what a delivery holds and every problem it may meet."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hourbook_ingest_zammad.problems import Kind
from hourbook_kit.problems import MEDIA_TYPE, Problem

DESCRIPTION = (
    "Where Zammad says that a ticket may have changed. A delivery that is signed is in the inbox, on"
    " all replicas, before it is answered 202; nothing of its body is kept but hash and length, and"
    " the ticket is read again over REST. The same delivery may come as often as it likes."
)

_REFUSED = {
    400: "It names no ticket",
    401: "It is not signed by this Zammad",
    404: "No such connection",
    413: "It is too long",
    503: "It is to be sent again later",
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_BODY = {
    "type": "object",
    "description": "Zammad's default payload: all but the ticket's id is ignored.",
    "required": ["ticket"],
    "properties": {
        "ticket": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "integer", "format": "int64", "minimum": 1},
            },
        }
    },
}


def _refusal(status: int, description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    told = {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
    return told | {"headers": _RETRY_AFTER} if status == 503 else told  # noqa: PLR2004 -- that means it


def _header(name: str, sentence: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": sentence,
        "schema": {"type": "string"},
    }


ROUTE: dict[str, Any] = {
    "status_code": 202,
    "summary": "A delivery of Zammad",
    "description": "Of the connection that is named, or of the only Zammad there is.",
    "response_description": "It is in the inbox",
    "responses": {status: _refusal(status, sentence) for status, sentence in _REFUSED.items()},
    "openapi_extra": {
        "requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}},
    },
}
"""How a route of deliveries is documented, as FastAPI's decorators take it."""

_HEADERS = (
    _header(
        "X-Hub-Signature",
        "`sha1=` and the HMAC-SHA1 of the raw body under the connection's webhook secret.",
        required=True,
    ),
    _header("X-Zammad-Delivery", "The delivery's id, kept to be shown."),
)
_CONNECTION = {
    "name": "connection",
    "in": "path",
    "required": True,
    "description": "The connection's short name; without one there must be only one Zammad.",
    "schema": {"type": "string"},
}


def document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    for path, operations in made["paths"].items():
        delivery = operations.get("post")
        if delivery is not None:
            named = [_CONNECTION] if "{connection}" in path else []
            delivery["parameters"] = [*named, *_HEADERS]
            del delivery["responses"]["202"]["content"]
    problem = Problem.model_json_schema()
    problem["properties"]["type"]["enum"] = [kind.type for kind in Kind]
    made["components"]["schemas"]["Problem"] = problem
    return made
