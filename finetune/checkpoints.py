"""Where a training run stands, on disk: enough to go on as if it had never stopped.

A checkpoint is a folder that is whole or absent: it gets its name when everything in it is durable. It holds the
adapter's weights, the optimiser's two moments of each, the state of the random numbers, and the history. Safetensors
and JSON only: opening a checkpoint runs no code.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.errors import Conflict, CorruptArtefact

_NAME = re.compile(r"step-(\d{6})")
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(slots=True)
class History:
    """What happened so far. `losses` has an entry a step; `evaluations` an entry each time held-out rows were read.

    `fingerprint` stands for recipe and data: a run goes on only with its own.
    """

    fingerprint: str
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    losses: list[dict[str, float]] = field(default_factory=list)
    evaluations: list[dict[str, float]] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The step with the lowest held-out loss, the earliest of equals."""
        return int(min(self.evaluations, key=lambda each: (each["loss"], each["step"]))["step"])


def save(folder: Path, model: Any, optimiser: torch.optim.Optimizer, history: History) -> Path:
    """Write the checkpoint of `history.step`, and remove those that are neither the best nor the latest."""
    arriving = folder / ".arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(parents=True)
    tensors = {name: parameter.detach().contiguous() for name, parameter in _trained(model).items()}
    save_file(tensors, str(arriving / "weights.safetensors"))
    save_file({**_moments(model, optimiser), **_random()}, str(arriving / "optimiser.safetensors"))
    (arriving / "history.json").write_bytes(orjson.dumps(asdict(history), option=orjson.OPT_INDENT_2))
    for file in arriving.iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    final = folder / f"step-{history.step:06}"
    shutil.rmtree(final, ignore_errors=True)
    arriving.replace(final)
    kept = {history.step} | ({history.best} if history.evaluations else set())
    for step, path in _all(folder).items():
        if step not in kept:
            shutil.rmtree(path)
    return final


def latest(folder: Path) -> Path | None:
    """The checkpoint that was written last."""
    found = _all(folder)
    return found[max(found)] if found else None


def best(folder: Path, history: History) -> Path:
    """The checkpoint with the lowest held-out loss."""
    return _all(folder)[history.best]


def restore(path: Path, model: Any, optimiser: torch.optim.Optimizer, fingerprint: str) -> History:
    """Put the model, the optimiser and the random numbers where they were.

    Raises `Conflict` when the checkpoint belongs to another recipe or other data, `CorruptArtefact` when it is broken.
    """
    history = _history(path)
    if history.fingerprint != fingerprint:
        told = f"{path} is of another recipe or other data: name another folder, or remove it"
        raise Conflict(told, code="other_run")
    load_weights(path, model)
    state = _tensors(path / "optimiser.safetensors")
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            name = next(name for name, each in _trained(model).items() if each is parameter)
            moments = {kind: state[f"{kind}:{name}"].to(parameter.device) for kind in _MOMENTS}
            optimiser.state[parameter] = {"step": torch.tensor(float(history.step)), **moments}
    torch.set_rng_state(state["random:cpu"])
    if torch.cuda.is_available() and "random:cuda" in state:
        torch.cuda.set_rng_state(state["random:cuda"])
    return history


def load_weights(path: Path, model: Any) -> None:
    """Put the adapter's weights of a checkpoint into the model. Raises `CorruptArtefact` when they do not fit."""
    stored = _tensors(path / "weights.safetensors")
    trained = _trained(model)
    if stored.keys() != trained.keys():
        raise CorruptArtefact(f"{path} holds the weights of another adapter")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(stored[name])


def _history(path: Path) -> History:
    try:
        return History(**orjson.loads((path / "history.json").read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError) as problem:
        raise CorruptArtefact(f"{path} holds no checkpoint: {problem}") from problem


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        found: dict[str, torch.Tensor] = load_file(str(path))
    except (OSError, SafetensorError) as problem:
        raise CorruptArtefact(f"{path} is broken: {problem}") from problem
    return found


def _trained(model: Any) -> Mapping[str, torch.nn.Parameter]:
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def _moments(model: Any, optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    names = {id(parameter): name for name, parameter in _trained(model).items()}
    return {
        f"{kind}:{names[id(parameter)]}": state[kind].contiguous()
        for parameter, state in optimiser.state.items()
        for kind in _MOMENTS
    }


def _random() -> dict[str, torch.Tensor]:
    states = {"random:cpu": torch.get_rng_state()}
    return states | ({"random:cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def _all(folder: Path) -> dict[int, Path]:
    found = ((_NAME.fullmatch(path.name), path) for path in folder.glob("step-*"))
    return {int(match[1]): path for match, path in found if match}
