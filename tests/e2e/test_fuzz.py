"""Every operation of the OpenAPI document, called with what fits its schema and with what does not."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes.company import make_company
from tests.fakes.gateway import TENANT, gateway, listening
from tests.fakes.turns import turn


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The gateway in a thread of its own; yields its base URL and an admin's key."""
    ready: list[tuple[str, str]] = []
    started, done = threading.Event(), threading.Event()
    workspace: Path = tmp_path_factory.mktemp("fuzz")

    async def serve() -> None:
        generous = {"requests_per_minute": 10**6, "tokens_per_day": 10**9}
        async with gateway(workspace, limits=generous) as running, listening(running) as url:
            running.parts.companies[TENANT] = make_company()
            running.parts.turns.add(TENANT, turn("0"))
            ready.append((url, running.keys["admin"]))
            started.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60), "the gateway did not start"
    yield ready[0]
    done.set()
    thread.join()


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUICKLY = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_operation_breaks(served: tuple[str, str], mode: GenerationMode) -> None:
    url, key = served
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [result.ok() for result in document.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == 162, "an operation is new, gone, or not valid OpenAPI"
    for operation in operations:

        @QUICKLY
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers={"authorization": f"Bearer {key}"}, checks=CHECKS)

        try:
            check()
        except Unsatisfiable:
            # An operation without parameters has nothing that could be wrong.
            assert mode is GenerationMode.NEGATIVE
        except InvalidSchema as problem:
            # The generator of wrong input gives up on some arrays, with some of hypothesis' draws.
            assert mode is GenerationMode.NEGATIVE and "Cannot generate an array" in str(problem)
