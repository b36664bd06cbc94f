"""How a federation is trained and what it may cost in privacy: said before it begins, and never changed."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Plan(BaseModel):
    """The terms of a federation; every device may read them before it takes part.

    One device, which is one principal, is the unit of privacy: nearly the same model would have come out without any
    one device, whatever is in its rows. `epsilon` and `delta` bound what "nearly" means for all rounds together
    (add or remove one device). Each device takes part in a round with probability `share`, independently of the others.

    An update is scaled down to the length `clip` at most. The sum of a round's updates gets normal noise of standard
    deviation `noise * clip` on every weight and is divided by `share * population`, whoever answered. Without `noise`
    the least is taken with which all rounds fit into the budget; with it, training ends before the round that would
    not.

    A device goes over its rows `epochs` times, in batches of `batch`, with steps of size `rate`. A round ends after
    `seconds`, or when all who were drawn have answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epsilon: float = Field(gt=0, le=20, allow_inf_nan=False)
    delta: float = Field(gt=1e-15, lt=0.1, allow_inf_nan=False)
    rounds: int = Field(ge=1, le=2000)
    population: int = Field(ge=2, le=10_000_000, description="devices that are expected to take part")
    share: float = Field(ge=1e-5, le=1, allow_inf_nan=False)
    noise: float | None = Field(None, ge=0.4, le=1000, allow_inf_nan=False)
    clip: float = Field(1.0, ge=1e-6, le=1e6, allow_inf_nan=False)
    epochs: int = Field(1, ge=1, le=50)
    batch: int = Field(32, ge=1, le=10_000)
    rate: float = Field(0.1, gt=0, le=100, allow_inf_nan=False)
    seconds: float = Field(60.0, ge=0.1, le=7 * 86_400, allow_inf_nan=False)

    @model_validator(mode="after")
    def _meaningful(self) -> Self:
        if self.delta * self.population >= 1:
            told = f"delta {self.delta:g} lets one of {self.population} devices be given away whole: stay well below"
            raise ValueError(f"{told} {1 / self.population:g}")
        return self

    @property
    def expected(self) -> float:
        """How many devices a round draws on average."""
        return self.share * self.population
