"""Whatever is asked, the answer is as the OpenAPI document says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hourbook_query_api.openapi import made
from hourbook_query_api.rights import PUBLIC
from hourbook_query_api.testing import House

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    operation.label: operation
    for operation in (
        found.ok()
        for found in schemathesis.openapi.from_dict(made()).get_all_operations()
        if isinstance(found, Ok)
    )
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", sorted(OPERATIONS))
@given(asked=st.data())
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_every_answer_is_as_documented(house: House, name: str, asked: st.DataObject) -> None:
    case = asked.draw(OPERATIONS[name].as_strategy())
    request = case.as_transport_kwargs(base_url="http://api")
    request.pop("cookies", None)
    public = OPERATIONS[name].definition.raw["operationId"] in PUBLIC
    async with house.stranger() as stranger:  # signing out would end our own session
        answer = await (stranger if public else house.client).request(**request)
    case.validate_response(Response.from_httpx(answer, verify=False), checks=CHECKS)
