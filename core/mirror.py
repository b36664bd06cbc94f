"""Where else the model registry is shown: a tracking server that is told of each change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.versions import Standing, Version


class Mirror(Protocol):
    """Is told where a model stands and every version of it, after each change has been stored.

    So whatever it missed it learns at the next one. It must not raise for what goes wrong on its side: the registry is
    the truth, and a change that has been stored is not undone because nobody could show it.
    """

    async def show(self, standing: Standing, versions: Sequence[Version]) -> None:
        """Bring the other side to this."""


class NullMirror:
    """No tracking server."""

    async def show(self, standing: Standing, versions: Sequence[Version]) -> None:
        """Show nothing."""
