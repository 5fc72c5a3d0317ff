"""The API does what its own description says, whatever is asked: no failure of any check.

schemathesis draws requests from /openapi.json, valid and invalid ones, and holds status, headers
and body of each answer against it. Half of the names it draws are replaced by ones that exist.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.gateway.conftest import Stage

EXAMPLES = 14  # a route; valid and invalid requests each have their part
schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture(scope="session")
def described(stage: Stage) -> Any:
    loaded = schemathesis.openapi.from_asgi("/openapi.json", stage.app)

    @loaded.hook
    def map_path_parameters(context: Any, path_parameters: Any) -> Any:
        """Name what exists where a valid name was drawn."""
        return {
            name: choose(stage.known.get(name, []), value)
            for name, value in (path_parameters or {}).items()
        }

    return loaded


def choose(known: list[str], drawn: Any) -> Any:
    """Return something known in every other case; what is malformed stays so."""
    text = str(drawn)
    is_name = known and (len(text) == len(known[0]) or text.isdigit())
    if not is_name or sum(text.encode()) % 2:
        return drawn
    return type(drawn)(known[sum(text.encode()) % len(known)])


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_api__any_request__answered_as_described(case: Any) -> None:
    case.call_and_validate()
