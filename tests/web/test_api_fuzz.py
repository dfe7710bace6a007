"""schemathesis over the API's own description, on a real server and database: no server error, and what is promised."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from sqlalchemy.ext.asyncio import AsyncSession

from app.settings import Settings
from tests.browser.served import serving
from tests.web.api_studies import OWNER, Api, showing, two_studies

CHECKS: tuple[Any, ...] = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)
EXAMPLES = 20


@pytest.fixture
async def api(client: httpx.AsyncClient, database: AsyncSession) -> Api:
    return await two_studies(client, database)


@pytest.fixture
def served(api: Api, app_settings: Settings) -> Iterator[str]:
    with serving(app_settings) as address:
        yield address


# What leads past the first refusal; else little but 404 would be tried.
KNOWN = st.fixed_dictionaries(
    {
        "slug": st.sampled_from(["pilot", "draft", "another", "beside", "pilot-set"]),
        "version": st.just("1"),
        "table": st.sampled_from(["choices", "pairs", "preferences", "codebook"]),
        "extension": st.sampled_from(["csv", "jsonl"]),
    }
)


def test_no_request_makes_the_server_fail(api: Api, served: str) -> None:
    described = httpx.get(f"{served}/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    tried: set[int] = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        _try(found.ok(), served, showing(api.tokens[OWNER]), tried)
    assert {200, 404, 409, 422} <= tried
    assert max(tried) < 500


def _try(operation: Any, served: str, headers: dict[str, str], tried: set[int]) -> None:
    cases = operation.as_strategy()
    if operation.query or operation.body:  # What goes against the description, where there is anything to go against.
        cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @given(case=cases, names=st.none() | KNOWN | KNOWN)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any, names: dict[str, str] | None) -> None:
        if names is not None:
            case.path_parameters = {name: names[name] for name in case.path_parameters or {}}
        response = case.call(base_url=f"{served}/api", headers=headers)
        tried.add(response.status_code)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            assert set(response.json()) == {"error"}

    run()
