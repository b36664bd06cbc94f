"""The process that reads: a picture in, its lines out, until its input ends. The only file that knows rapidocr."""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import BinaryIO

import cv2
import numpy as np
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

# Both recognisers and the detector come inside of the package. Measured by processor time on one thread, a drawn
# 720p screen of 32 lines and a receipt of 53: 1.5 and 2.2 s as the package has it; 1.3 and 1.8 s with lines one by
# one at their own widths, for padding is work too.
_SETTINGS = {
    "Global.use_cls": False,
    "Global.log_level": "critical",
    "Global.max_side_len": 2560,
    "Det.limit_type": "max",
    "Det.limit_side_len": 1280,
    "Rec.rec_batch_num": 1,
    "Rec.rec_img_shape": [3, 48, 64],
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def main() -> None:
    """Serve standard input: four bytes of length and a picture, answered by a line of JSON, again and again."""
    threads = int(sys.argv[2])
    cv2.setNumThreads(threads)
    reader = RapidOCR(params={**_SETTINGS, "EngineConfig.onnxruntime.intra_op_num_threads": threads})
    # Whatever a library prints must not land among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while (content := _next(sys.stdin.buffer)) is not None:
        answers.write(json.dumps(_read(reader, content)).encode() + b"\n")
        answers.flush()


def _next(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    return source.read(struct.unpack("<I", head)[0]) if len(head) == 4 else None


def _read(reader: RapidOCR, content: bytes) -> list[object] | None:
    """Text, corners and confidence of each line; None for what is no picture."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    found = reader(pixels)
    if not isinstance(found, RapidOCROutput) or found.txts is None or found.boxes is None or found.scores is None:
        return []
    return [
        [text, [[float(x), float(y)] for x, y in corners], float(score)]
        for text, corners, score in zip(found.txts, found.boxes, found.scores, strict=True)
    ]
