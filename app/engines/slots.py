"""Which of llama.cpp's slots a generation takes, so that no adapter answers from another one's memory.

A slot keeps the keys and values of its last prompt for the next one that begins alike. llama.cpp forgets them when a
request names other scales than the slot's last one, but not when a request leaves them out (its server's issue 26207):
then the base's answer went on from what an adapter had read. So every request names every scale (`embedded.py`), each
slot's memory is known here by the adapter that filled it, and requests go where their own adapter was last: of two
slots, the base and an adapter that take turns keep one each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that is taken. `remembers` says whether what it holds was computed with the same adapter."""

    number: int
    remembers: bool


class Slots:
    """The slots of one server, for as many threads as there are slots."""

    def __init__(self, count: int) -> None:
        # By how long ago each was used, the longest first; nothing was computed with any adapter yet.
        self._free: list[tuple[int, str | None]] = [(number, None) for number in range(count)]
        self._lock = Lock()

    @contextmanager
    def taken(self, adapter: str | None) -> Iterator[Slot]:
        """Hold a slot: one that was last used with this adapter (None: the base), else the one unused for longest.

        Raises `IndexError` when more threads ask than there are slots.
        """
        with self._lock:
            place = next((i for i in reversed(range(len(self._free))) if self._free[i][1] == adapter), 0)
            number, before = self._free.pop(place)
        try:
            yield Slot(number, before == adapter)
        finally:
            with self._lock:
                self._free.append((number, adapter))
