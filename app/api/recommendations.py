"""/api/recommendations: what a customer may want next, what they did about it, and what other policies would earn."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from agents.corrections import check_storable
from agents.tools.tool import Caller, Subject
from app.api.calls import ID
from app.api.json import Json, StrictJsonRoute
from app.auth import Anyone, Engineer
from app.errors import responses
from app.recommend.opening import Recommending
from app.recommend.slates import Made
from core.errors import NotFound
from core.gates import Interval
from core.recommending import Asking
from core.types import Principal, Role
from tabular.recommend.bandit import EpsilonGreedy, Policy, Softmax
from tabular.recommend.evaluation import Estimates, Greedy, evaluate
from tabular.recommend.records import Reaction

SlateId = Annotated[str, Path(pattern=r"^rec_[0-9a-f]{32}$")]
Sku = Annotated[str, Field(pattern=ID)]
_MOST = 50


def _storable(text: str) -> str:
    check_storable(text)
    return text


class Wanted(BaseModel):
    """Whom to recommend to. `wish` is what they look for, in their words; `new_only` leaves out what they bought."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Annotated[str, Field(pattern=ID)]
    limit: int = Field(10, ge=1, le=_MOST)
    wish: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S"), AfterValidator(_storable)] | None = None
    exclude: list[Sku] = Field([], max_length=1_000)
    new_only: bool = False


class RecommendationView(BaseModel):
    """A product. `propensity` is the chance by which it came to stand at its `position` (from 1): 1 if by rank."""

    sku: str
    name: str
    price: str
    score: float
    reason: str
    because_of: list[str]
    position: int
    propensity: float


class SlateView(BaseModel):
    """What is recommended, the best first. `model` is its version, null where none is in force."""

    object: str = "recommendations"
    id: str
    customer_id: str
    created_at: datetime
    model: int | None
    items: list[RecommendationView]


class ReactionView(BaseModel):
    """What the customer did about one product."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    reaction: Reaction


class Reactions(BaseModel):
    """What the customer did about the products of one answer."""

    model_config = ConfigDict(extra="forbid")

    reactions: list[ReactionView] = Field(min_length=1, max_length=4 * _MOST)


class ToldView(BaseModel):
    """A reaction; `at` is when it was told first."""

    sku: str
    reaction: Reaction
    at: datetime


class FeedbackView(BaseModel):
    """The reactions that were told, as they are kept."""

    object: str = "recommendations.feedback"
    id: str
    reactions: list[ToldView]


class EstimateView(BaseModel):
    """A mean reward, with its 95 % interval."""

    value: float
    low: float
    high: float


class EvaluationView(BaseModel):
    """What was earned at places filled by chance (`logged`), and would have been by the policy, in three estimates.

    `effective_rounds` is how many rounds of the policy what was logged is worth (Kish).
    """

    object: str = "recommendations.evaluation"
    policy: str
    reward: Reaction
    days: int
    rounds: int
    effective_rounds: float
    logged: EstimateView
    ips: EstimateView
    self_normalised: EstimateView
    doubly_robust: EstimateView


def routes(recommending: Recommending) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/recommendations", tags=["recommendations"], route_class=StrictJsonRoute)

    @router.post("", response_model=SlateView, responses=responses(403, 404, 409, 422, 502, 504))
    async def recommend(body: Wanted, caller: Anyone) -> Response:
        """Say what a customer may want next; clients ask for their own customer.

        A wish is read by a trained model: without one in force it is refused (409).
        """
        # Raises where the caller may not ask for this customer.
        Caller(caller, Subject(body.customer_id))
        asking = Asking(body.customer_id, body.limit, body.exclude, body.new_only, body.wish)
        return Json(_view(await recommending.maker.make(caller.tenant, asking)))

    @router.post("/{slate_id}/feedback", response_model=FeedbackView, responses=responses(403, 404, 409, 422))
    async def react(slate_id: SlateId, body: Reactions, caller: Anyone) -> Response:
        """Tell what a customer did about what was recommended. The same again changes nothing."""
        told = [(each.sku, each.reaction) for each in body.reactions]
        found = await recommending.reactions.take(caller.tenant, slate_id, told, _own(caller))
        kept = [
            {"sku": each.item, "reaction": each.reaction, "at": datetime.fromtimestamp(each.at / 1000, UTC)}
            for each in found
        ]
        return Json({"object": "recommendations.feedback", "id": slate_id, "reactions": kept})

    @router.get("/evaluation", response_model=EvaluationView, responses=responses(403, 409))
    async def evaluate_policy(
        caller: Engineer,
        policy: Annotated[Literal["greedy", "epsilon_greedy", "softmax"], Query()] = "greedy",
        epsilon: Annotated[float, Query(gt=0, le=1, description="of epsilon_greedy; at 1 all are alike")] = 0.2,
        temperature: Annotated[float, Query(gt=0, le=1_000, description="of softmax")] = 1.0,
        reward: Annotated[Reaction, Query(description="what counts as 1")] = Reaction.CLICKED,
        days: Annotated[int, Query(ge=1, le=3_650, description="how far to look back")] = 90,
    ) -> Response:
        """Estimate what another policy would earn at the places that were filled by chance. 409 for too few of them."""
        rounds = await recommending.reactions.rounds(caller.tenant, reward, days)
        found = await asyncio.to_thread(evaluate, rounds, _policy(policy, epsilon, temperature))
        return Json(_evaluated(found, policy, reward, days))

    return router


def _own(caller: Principal) -> str | None:
    """The customer whose things alone the caller may see; None for all."""
    if caller.role is not Role.CLIENT:
        return None
    if caller.customer_id is None:
        raise NotFound("this key acts for no customer, so it has no recommendations", code="no_customer")
    return caller.customer_id


def _policy(name: str, epsilon: float, temperature: float) -> Policy:
    if name == "greedy":
        return Greedy()
    return EpsilonGreedy(epsilon) if name == "epsilon_greedy" else Softmax(temperature)


def _view(made: Made) -> dict[str, Any]:
    slate = made.slate
    return {
        "object": "recommendations",
        "id": slate.id,
        "customer_id": slate.customer,
        "created_at": slate.at,
        "model": slate.model,
        "items": [
            {
                "sku": each.sku,
                "name": each.name,
                "price": str(each.price),
                "score": each.score,
                "reason": each.reason,
                "because_of": list(each.because),
                "position": position,
                "propensity": place.propensity,
            }
            for position, (each, place) in enumerate(zip(made.items, slate.places, strict=True), start=1)
        ],
    }


def _evaluated(found: Estimates, policy: str, reward: Reaction, days: int) -> dict[str, Any]:
    def view(interval: Interval) -> dict[str, float]:
        return {"value": interval.value, "low": interval.low, "high": interval.high}

    return {
        "object": "recommendations.evaluation",
        "policy": policy,
        "reward": reward,
        "days": days,
        "rounds": found.rounds,
        "effective_rounds": found.effective,
        "logged": view(found.logged),
        "ips": view(found.ips),
        "self_normalised": view(found.self_normalised),
        "doubly_robust": view(found.doubly_robust),
    }
