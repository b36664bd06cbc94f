"""The floor: a bare FastAPI that answers a chat completion by itself, with neither key nor meter.

`python -m evals.bench.echo PORT` serves it.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Say that it serves."""
    return {"status": "ready"}


@app.post("/v1/chat/completions")
async def complete(body: dict[str, Any]) -> JSONResponse:
    """Answer with the last message's own text, in the protocol's shape."""
    text = body["messages"][-1]["content"]
    words = len(text.split())
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}
    answer = {
        "id": "chatcmpl-echo",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
    }
    return JSONResponse(answer)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
