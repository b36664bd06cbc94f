"""/api/federated: who may do what, what is told to whom, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes.gateway import Gateway
from tests.unit.tabular.federated.making import TASK, people, plan

pytest.importorskip("dp_accounting.pld")

WEIGHTS = [0.1, -0.1, 0.0, 0.2, 0.0]


def federation(**other: Any) -> dict[str, Any]:
    terms = plan(population=3, delta=0.01, share=1.0, noise=3.0, rounds=2, seconds=600)
    task = TASK.model_dump(mode="json")
    return {"name": "stays", "about": "Who stays?", "task": task, "plan": terms.model_dump(mode="json"), **other}


async def call(served: Gateway, method: str, path: str = "", role: str = "engineer", body: Any = None) -> Any:
    given = {} if body is None else {"json": body}
    return await served.call(method, f"/api/federated{path}", role=role, **given)


DEVICES = ("client", "staff", "engineer")


async def running(served: Gateway, **other: Any) -> None:
    assert (await call(served, "POST", body=federation(**other))).status_code == 201
    for role in DEVICES:
        joined = await call(served, "POST", "/stays/enrolment", role, {"consent": True})
        assert joined.status_code == 200
    assert (await call(served, "POST", "/stays/start")).json()["state"] == "running"


async def ended(served: Gateway) -> dict[str, Any]:
    for _ in range(400):
        found: dict[str, Any] = (await call(served, "GET", "/stays")).json()
        if found["state"] not in ("created", "running"):
            return found
        for role in DEVICES:
            work = (await call(served, "GET", "/stays/work", role)).json()
            if work["asked"] == "train":
                body = {"round": work["round"], "update": WEIGHTS}
                assert (await call(served, "POST", "/stays/updates", role, body)).status_code == 204
        await asyncio.sleep(0.05)
    raise AssertionError("the federation did not end")


async def test_from_the_declaration_to_the_registered_model(served: Gateway) -> None:
    public = people(10, seed=1)
    await running(served, evaluation=public)
    found = await ended(served)
    assert (found["state"], found["ended_why"], found["round"]) == ("done", "all rounds were held", 2)
    rounds = (await call(served, "GET", "/stays/rounds")).json()["data"]
    assert [(each["drawn"], each["answered"]) for each in rounds] == [(3, 3), (3, 3)]
    assert 0 < rounds[0]["epsilon"] < rounds[1]["epsilon"] == found["spent"] <= 8
    assert all(0 <= each["accuracy"] <= 1 for each in rounds)
    model = (await call(served, "GET", "/stays/model", "client")).json()
    assert (len(model["weights"]), model["rounds"], model["epsilon"]) == (5, 2, found["spent"])
    # The registry is of the installation's own tenant, which this one is not.
    assert (await call(served, "POST", "/stays/registration")).status_code == 403


async def test_the_terms_are_everybodys_and_the_numbers_the_engineers(served: Gateway) -> None:
    await running(served)
    terms = (await call(served, "GET", "/stays", "client")).json()
    assert (terms["plan"]["epsilon"], terms["task"]["label"]["column"], terms["joined"]) == (8.0, "stays", True)
    assert terms["enrolled"] is None
    assert (await call(served, "GET", "/stays")).json()["enrolled"] == 3
    [listed] = (await call(served, "GET", role="client")).json()["data"]
    assert listed == terms
    assert [each["joined"] for each in (await call(served, "GET", role="admin")).json()["data"]] == [False]


async def test_clients_take_part_and_hold_nothing(served: Gateway) -> None:
    await running(served)
    refused = [("POST", "", federation()), ("GET", "/stays/rounds", None)]
    refused += [("POST", f"/stays/{what}", None) for what in ("start", "stop", "registration")]
    for method, path, body in refused:
        assert (await call(served, method, path, "client", body)).status_code == 403, path
    assert (await call(served, "GET", "/stays/model", "client")).status_code == 409
    assert (await call(served, "DELETE", "/stays/enrolment", "client")).status_code == 204
    assert (await call(served, "GET", "/stays/work", "client")).json()["code"] == "not_enrolled"
    assert (await call(served, "GET", "/stays", "stranger")).status_code == 404
    assert (await call(served, "POST", "/stays/stop")).json()["state"] == "stopped"


WRONG: list[tuple[Any, int, str]] = [
    ({"round": 1, "update": WEIGHTS[:4]}, 400, "invalid_input"),
    ({"round": 2, "update": WEIGHTS}, 409, "round_over"),
    ({"round": 1, "update": []}, 400, "invalid_input"),
    ({"round": 1, "update": [0.1] * 4097}, 400, "invalid_input"),
    ({"round": 1, "update": [None] * 5}, 400, "invalid_input"),
    ({"round": 0, "update": WEIGHTS}, 400, "invalid_input"),
    ({"round": 1, "update": WEIGHTS, "device": "x"}, 400, "unsupported_parameter"),
    ({"round": 1, "update": [0.123456789] * 200_000}, 413, "too_large"),
]


async def test_what_is_no_update_is_refused(served: Gateway) -> None:
    await running(served)
    for body, status, told in WRONG:
        answer = await call(served, "POST", "/stays/updates", "client", body)
        assert (answer.status_code, answer.json()["code"]) == (status, told)
    for poison in ("NaN", "Infinity", "1e999", "-1e999"):
        content = f'{{"round": 1, "update": [{poison}, 0, 0, 0, 0]}}'
        headers = {"content-type": "application/json"}
        path = "/api/federated/stays/updates"
        answer = await served.call("POST", path, role="client", content=content, headers=headers)
        assert answer.status_code == 400, poison
    assert (await call(served, "GET", "/stays/work", "client")).json()["asked"] == "train"


UNSOUND: list[tuple[dict[str, Any], str]] = [
    ({"name": "No Name"}, "name"),
    ({"about": ""}, "about"),
    ({"plan": {**federation()["plan"], "delta": 0.05, "population": 100}}, "plan"),
    ({"plan": {**federation()["plan"], "epsilon": 0.01}}, "plan.noise"),
    ({"task": {**federation()["task"], "numbers": [], "categories": []}}, "task"),
    ({"evaluation": [{"age": "1"}]}, "spent"),
]


async def test_a_declaration_that_does_not_hold_is_refused(served: Gateway) -> None:
    for wrong, param in UNSOUND:
        answer = await call(served, "POST", body=federation(**wrong))
        assert (answer.status_code, answer.json()["param"]) == (400, param)
    assert (await call(served, "GET")).json()["data"] == []


async def test_an_update_sent_twice_counts_once_and_another_is_refused(served: Gateway) -> None:
    await running(served)
    body = {"round": 1, "update": WEIGHTS}
    for _ in range(2):
        assert (await call(served, "POST", "/stays/updates", "client", body)).status_code == 204
    other = await call(served, "POST", "/stays/updates", "client", {"round": 1, "update": [0.0] * 5})
    assert (other.status_code, other.json()["code"]) == (409, "already_answered")
    consent = await call(served, "POST", "/stays/enrolment", "admin", {"consent": False})
    assert (consent.status_code, consent.json()["param"]) == (400, "consent")


async def test_the_names_of_the_gateways_own_models_are_not_to_be_had(served: Gateway) -> None:
    for name in ("fraud", "churn", "segments"):
        answer = await call(served, "POST", body=federation(name=name))
        assert (answer.status_code, answer.json()["param"]) == (409, "name")


async def test_a_name_is_taken_once(served: Gateway) -> None:
    assert (await call(served, "POST", body=federation())).status_code == 201
    assert (await call(served, "POST", body=federation())).status_code == 409
    assert (await call(served, "POST", "/stays/start")).json()["message"] == "0 of 3 devices have enrolled"
