"""The reference for ingestion: sentence-transformers on torch, in a process of its own.

`python torch_embed.py FOLDER` loads the model in FOLDER; for every line of input, a JSON list of texts, it embeds
them and prints the seconds that took. Imports nothing of ours, so that any Python with the packages runs it.
"""

from __future__ import annotations

import json
import sys
import time

from sentence_transformers import SentenceTransformer


def main(folder: str) -> None:
    """Answer until there is no more input."""
    # A folder of bare weights gets mean pooling, which is what this family of models has.
    model = SentenceTransformer(folder, device="cpu")
    model.max_seq_length = 256
    for line in sys.stdin:
        texts = json.loads(line)
        begun = time.perf_counter()
        model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        print(time.perf_counter() - begun, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
