"""Who meets a canary: always the same people, without anything being stored."""

from __future__ import annotations

import hashlib

_PARTS = 10_000


def meets(subject: str | None, model: str, number: int, percent: int) -> bool:
    """Whether the person is among the `percent` that meet this version.

    Decided by a hash of the version and the person: the same one each time, in every process. Another version draws
    other people. Nobody (None) is never among them.
    """
    if subject is None:
        return False
    digest = hashlib.sha256(f"{model}/{number}/{subject}".encode()).digest()
    return int.from_bytes(digest[:8]) % _PARTS < percent * _PARTS // 100
