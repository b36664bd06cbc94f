"""llama.cpp in this process: the one place that imports it, and what every use of it has in common."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

# OpenMP reads this when its library is loaded. By default its threads wait for each other by spinning, which on a
# machine with anything else to do makes generation up to forty times slower (measured on two busy cores:
# .6 tokens/s, against 15 when they sleep); it must be decided before the import.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import xllamacpp

from core.errors import EngineUnavailable


def parameters(gguf: Path, *, slots: int, context: int, batch: int, threads: int) -> Any:
    """Parameters of a server for `gguf`: `slots` sequences share `context` tokens; a step reads `batch` tokens.

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
    return params


def serve(params: Any) -> Any:
    """Load the model and start the server. Its last reference ends it.

    Raises `EngineUnavailable` when llama.cpp cannot load the file.
    """
    try:
        return xllamacpp.Server(params)
    except RuntimeError as problem:
        raise EngineUnavailable(f"llama.cpp could not load {params.model.path}: {problem}") from problem
