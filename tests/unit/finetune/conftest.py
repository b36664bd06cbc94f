from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> None:
    """Tiny tensors gain nothing from a second thread, and wait for it where the cores are busy."""
    torch.set_num_threads(1)
