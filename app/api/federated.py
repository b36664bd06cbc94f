"""/api/federated: engineers hold federations, devices take part. A device reads the terms before it agrees to them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.federated_views import (
    EnrolmentView,
    FederationList,
    FederationView,
    ModelOut,
    RegisteredView,
    RoundList,
    WorkView,
    federation_view,
    work_view,
)
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone, Engineer, at_least
from app.errors import responses
from app.federated.federated import Federated
from app.federated.federations import Declared
from app.federated.publishing import register
from core.errors import Forbidden
from core.types import Role
from core.versions import NAME
from tabular.federated.plan import Plan
from tabular.federated.task import MOST_FEATURES, Column, Task

Name = Annotated[str, Path(pattern=NAME)]
_ROWS = 2_000
_LARGEST = 2**31 - 1
_TEXT = r"^[^\x00]*$"
_Cell = Annotated[str, Field(max_length=128, pattern=_TEXT)]


class NewFederation(BaseModel):
    """What is to be learned, at what cost in privacy. `evaluation` are rows that anybody may have."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    about: str = Field(
        min_length=1, max_length=2000, pattern=_TEXT, description="what for, told to everybody who is to take part"
    )
    task: Task
    plan: Plan
    evaluation: list[dict[Column, _Cell]] = Field([], max_length=_ROWS)


class Enrolment(BaseModel):
    """Whether the person has agreed to the terms."""

    model_config = ConfigDict(extra="forbid")

    consent: bool


class Update(BaseModel):
    """What the device's training changed about the weights of the round."""

    model_config = ConfigDict(extra="forbid")

    round: int = Field(ge=1, le=_LARGEST)
    update: list[float] = Field(min_length=1, max_length=MOST_FEATURES)


def routes(federated: Federated, tenant: str) -> APIRouter:
    """The router of this surface; `tenant` is the installation's own, to which the registry belongs."""
    router = APIRouter(prefix="/api/federated", tags=["federated"], route_class=StrictJsonRoute)
    federations, devices = federated.federations, federated.devices

    @router.post("", status_code=201, response_model=FederationView, responses=responses(403, 409, 422, 501))
    async def create_federation(body: NewFederation, caller: Engineer) -> Response:
        """Declare a federation. Its terms never change; devices can enrol from now on."""
        declared = Declared(body.name, body.about, body.task, body.plan, body.evaluation)
        return Json(federation_view(await federations.create(caller, declared), joined=False, counts=True), 201)

    @router.get("", response_model=FederationList, responses=responses())
    async def list_federations(caller: Anyone) -> Response:
        """List the federations, the latest first, and which the caller takes part in."""
        found = await federations.list(caller.tenant)
        joined = await devices.enrolled(caller, [each.name for each in found])
        counts = at_least(caller, Role.ENGINEER)
        return listing([federation_view(each, joined=each.name in joined, counts=counts) for each in found])

    @router.get("/{name}", response_model=FederationView, responses=responses(404))
    async def get_federation(name: Name, caller: Anyone) -> Response:
        """Show the terms of a federation, how far it is, and what of its budget is spent."""
        joined, counts = await devices.enrolled(caller, [name]), at_least(caller, Role.ENGINEER)
        return Json(federation_view(await federations.get(caller.tenant, name), joined=bool(joined), counts=counts))

    @router.get("/{name}/rounds", response_model=RoundList, responses=responses(403, 404))
    async def list_rounds(name: Name, caller: Engineer) -> Response:
        """List the rounds in their order: what each cost, and how many were drawn and answered."""
        return listing([asdict(each) for each in await federations.rounds(caller.tenant, name)])

    @router.post("/{name}/start", response_model=FederationView, responses=responses(403, 404, 409, 422, 501))
    async def start_federation(name: Name, caller: Engineer) -> Response:
        """Open the first round. From then on rounds follow each other until the rounds or the budget are used up."""
        return Json(federation_view(await federations.start(caller, name), joined=False, counts=True))

    @router.post("/{name}/stop", response_model=FederationView, responses=responses(403, 404, 409, 422))
    async def stop_federation(name: Name, caller: Engineer) -> Response:
        """End a federation before its time. The open round's updates are forgotten; what it cost stays spent."""
        return Json(federation_view(await federations.stop(caller, name), joined=False, counts=True))

    @router.get("/{name}/model", response_model=ModelOut, responses=responses(404, 409))
    async def get_federated_model(name: Name, caller: Anyone) -> Response:
        """Give the model of a federation that has ended, with what it cost."""
        return Json((await federations.model(caller.tenant, name)).model_dump(mode="json"))

    @router.post("/{name}/registration", response_model=RegisteredView, responses=responses(403, 404, 409, 422))
    async def register_federated_model(name: Name, caller: Engineer) -> Response:
        """Register the model of a federation that has ended as a version, with its epsilon on the card."""
        if caller.tenant != tenant:
            raise Forbidden("The models belong to the installation: this needs a key of its own tenant.")
        made = await register(federations, federated.registry, caller, name)
        return Json({"object": "federation.registration", "model": made.model, "version": made.number})

    @router.post("/{name}/enrolment", response_model=EnrolmentView, responses=responses(404, 409, 422))
    async def enrol(name: Name, body: Enrolment, caller: Anyone) -> Response:
        """Take part. Whoever the key stands for counts once, with whatever number of devices."""
        since: datetime = await devices.enrol(caller, name, consent=body.consent)
        return Json({"object": "federation.enrolment", "federation": name, "enrolled_at": since})

    @router.delete("/{name}/enrolment", status_code=204, responses=responses(404))
    async def leave(name: Name, caller: Anyone) -> Response:
        """Take no part any more. An update in the open round is forgotten."""
        await devices.leave(caller, name)
        return Response(status_code=204)

    @router.get("/{name}/work", response_model=WorkView, responses=responses(404, 409))
    async def get_work(name: Name, caller: Anyone) -> Response:
        """Tell a device what to do: `train` on these weights, `wait`, or nothing more since it has `ended`."""
        return Json(work_view(await devices.work(caller, name)))

    @router.post("/{name}/updates", status_code=204, responses=responses(404, 409, 422))
    async def submit_update(name: Name, body: Update, caller: Anyone) -> Response:
        """Take a device's update for the open round. The same once more changes nothing; it counts once."""
        await devices.submit(caller, name, body.round, body.update)
        federated.keeper.nudge()
        return Response(status_code=204)

    return router
