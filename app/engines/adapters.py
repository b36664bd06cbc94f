"""LoRA adapters of the embedded engine: found, checked against their base, and named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf

from core.errors import CorruptArtefact, NotFound
from core.modelstore import ADAPTER_BASE, file_sha256


def checked(adapters: Mapping[str, Path], base: Path) -> None:
    """See that each adapter is one, and made for `base` where it says for which.

    Raises `NotFound` for a file that is not there, `CorruptArtefact` for one that is no adapter or another model's.
    """
    own = ""
    for name, path in adapters.items():
        if not path.is_file():
            raise NotFound(f"the adapter {name} is not at {path}", param="embedded.adapters")
        try:
            fields = gguf.GGUFReader(path).fields
        except (OSError, ValueError, IndexError) as problem:  # a file that is cut off ends in an IndexError
            raise CorruptArtefact(f"the adapter {name}, {path}, is no GGUF: {problem}") from problem
        if "adapter.type" not in fields:
            raise CorruptArtefact(f"the adapter {name}, {path}, is a GGUF and no adapter")
        if ADAPTER_BASE in fields:
            own = own or file_sha256(base)
            if fields[ADAPTER_BASE].contents() != own:
                told = f"the adapter {name}, {path}, was tuned on another model than {base.name}"
                raise CorruptArtefact(told, code="wrong_base")
