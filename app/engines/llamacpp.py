"""llama.cpp in this process: the one place that imports it, and what every use of it has in common."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# GNU's OpenMP reads this when its library is loaded, so it must be decided before the import: how often a thread looks
# again, before it sleeps, whether the others have done their share. Tokens/s on two cores with none, one and two other
# busy processes: 1,000 looks 80, 26, 43; 10,000 looks 93, 11, 7; the default 84, 28, 24; sleeping at once 26 with none.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import xllamacpp

from core.errors import EngineUnavailable


def parameters(gguf: Path, *, slots: int, context: int, batch: int, threads: int, adapters: Sequence[Path] = ()) -> Any:
    """Parameters of a server for `gguf`: `slots` sequences share `context` tokens; a step reads `batch` tokens.

    `adapters` are loaded and not applied: each request says which it wants, by its place in the sequence.

    llama.cpp opens an HTTP listener in any case: it is on 127.0.0.1, on a random port, behind a random key that
    nobody learns. Requests come by function call.
    """
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_parallel = slots
    params.n_ctx = context
    params.n_batch = params.n_ubatch = batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_threads_http = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.fit_params = False
    # Each slot still keeps its own last prompt; this second cache would take up to 8 GiB of memory.
    params.cache_ram_mib = 0
    params.verbosity = -1
    params.lora_adapters = [_adapter(path) for path in adapters]
    params.lora_init_without_apply = True
    return params


def _adapter(path: Path) -> Any:
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path = str(path)
    adapter.scale = 1.0
    return adapter


def serve(params: Any) -> Any:
    """Load the model and start the server. Its last reference ends it.

    Raises `EngineUnavailable` when llama.cpp cannot load the file.
    """
    try:
        return xllamacpp.Server(params)
    except RuntimeError as problem:
        files = ", ".join([params.model.path, *(adapter.path for adapter in params.lora_adapters)])
        raise EngineUnavailable(f"llama.cpp could not load {files}: {problem}") from problem
