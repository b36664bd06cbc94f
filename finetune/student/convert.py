"""`python convert.py WEIGHTS.npz OUT.tflite`: a student's weights as TFLite with int8 weights.

Runs by itself in an environment of its own (`convert.txt`), which `finetune.student.export` makes: the converter
wants other versions of what everything else here needs. So nothing of the project is imported. The activations stay
float32: the vectors of the kernel are quantised as they come, and no set of texts has to stand for all.
"""

import sys
import tempfile
from pathlib import Path

import litert_torch  # type: ignore[import-not-found]
import numpy as np
import torch
from ai_edge_quantizer import quantizer, recipe  # type: ignore[import-not-found]


class Dense(torch.nn.Module):  # type: ignore[misc]
    """The student with its first layer dense: (1, buckets) float32 to (1, K) logits."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.body = _linear(weights["body"], weights["body_bias"])
        self.heads = _linear(weights["heads"], weights["heads_bias"])

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """The logits of hashed texts."""
        logits: torch.Tensor = self.heads(torch.relu(self.body(vectors)))
        return logits


def _linear(weight: np.ndarray, bias: np.ndarray) -> torch.nn.Linear:
    layer = torch.nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.T.copy()))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def convert(source: Path, target: Path) -> None:
    """Read the weights, convert, quantise, write."""
    with np.load(source, allow_pickle=False) as stored:
        model = Dense({name: stored[name] for name in stored.files}).eval()
    sample = (torch.zeros(1, model.body.in_features),)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "float.tflite"
        litert_torch.convert(model, sample).export(str(whole))
        quantizing = quantizer.Quantizer(str(whole))
        quantizing.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        target.write_bytes(quantizing.quantize().quantized_model)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
