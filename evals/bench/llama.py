"""llama.cpp's own server, bare: the reference for what the gateway adds to an engine.

`python -m evals.bench.llama PORT MODEL CONTEXT SLOTS THREADS` serves it until it is ended.
"""

from __future__ import annotations

import signal
import sys

import xllamacpp


def serve(port: int, model: str, context: int, slots: int, threads: int) -> None:
    """Serve the model on the port. The server runs on threads of its own, for as long as it is referred to."""
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel = context, slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.hostnames, params.port = ["127.0.0.1"], port
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], *(int(each) for each in sys.argv[3:]))
