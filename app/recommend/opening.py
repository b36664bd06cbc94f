"""Puts recommendations together: what they read, the model in force, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass

from agents.recommending import BasketLikeness
from app.recommend.catalogue import RememberedCatalogue
from app.recommend.history import PurchaseHistory
from app.recommend.model import ModelRecommender, WishReader
from app.recommend.reactions import Reactions
from app.recommend.served import ServedRecommender
from app.recommend.slates import SlateMaker
from core.database import Database
from core.ports import Orders, Procurement
from core.registry import Registry
from core.settings import Settings
from tabular.recommend.recommender import Recommender
from tabular.recommend.slates import Slates


@dataclass(frozen=True, slots=True)
class Recommending:
    """`served` recommends, `maker` keeps what was recommended, `reactions` are what comes of it."""

    served: ServedRecommender
    maker: SlateMaker
    reactions: Reactions


def open_recommending(
    database: Database,
    orders: Orders,
    procurement: Procurement,
    registry: Registry,
    reader: WishReader,
    settings: Settings,
    tenant: str,
) -> Recommending:
    """Without a model in force yet: `served.refresh` looks for one. `tenant` is whose purchases models learn from."""
    purchases = PurchaseHistory(orders, database)
    catalogue = RememberedCatalogue(procurement, settings.recommend.stock_seconds)

    def opened(recommender: Recommender, version: int) -> ModelRecommender:
        return ModelRecommender(recommender, version, purchases, catalogue, reader)

    plain = BasketLikeness(orders, procurement)
    served = ServedRecommender(registry, tenant, plain, opened)
    slates = Slates(database)
    return Recommending(served, SlateMaker(served, slates, settings.recommend), Reactions(database, slates))
