"""The OpenAPI document: FastAPI's, with one shape for every problem, the roles, and what the door adds."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hourbook_query_api import problems
from hourbook_query_api.rights import PUBLIC, role_of

DESCRIPTION = (
    "The read model of Hourbook, and what people decide. Durations are seconds, moments are UTC, ids"
    " are ours (`zammad:desk:72`). Every operation but signing in and health asks for a signed-in"
    " person whose role is at least its `x-role`. What a person does is published and then awaited:"
    " 200 or 201 when it is seen, else 202 with where to look. Every problem is an RFC 9457 one; the"
    " catalogue of their types is the enum of `Problem.type`."
)

_ETAG = {
    "description": "Of this answer: send it as If-None-Match to be told 304 while nothing changed.",
    "schema": {"type": "string"},
}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    for operations in made["paths"].values():
        for method, operation in operations.items():
            _complete(method.upper(), operation)
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    schemas["Problem"]["properties"]["type"]["enum"] = [kind.type for kind in problems.Kind]
    app.openapi_schema = made
    return made


def _complete(method: str, operation: dict[str, Any]) -> None:
    name, answers = operation["operationId"], operation["responses"]
    if "422" in answers:
        answers["422"] = problems.described(422)[422]
    if name in PUBLIC:
        return
    operation["x-role"] = role_of(method, name).value
    if method == "GET" and "application/json" in answers["200"].get("content", {}):
        answers["200"]["headers"] = {"ETag": _ETAG}
        answers["304"] = {"description": "Not Modified", "headers": {"ETag": _ETAG}}
        operation.setdefault("parameters", []).append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
            }
        )
