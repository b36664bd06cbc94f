"""What every speaker checks before it speaks."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InvalidInput

SLOWEST, FASTEST = 0.25, 4.0


def chosen(voices: Sequence[str], voice: str | None, speed: float) -> str:
    """The voice to speak with, the first when none is named.

    Raises `InvalidInput` for a voice that is not among them, and for a speed outside of [0.25, 4].
    """
    if voice is not None and voice not in voices:
        raise InvalidInput(f"There is no voice {voice!r}; there is {', '.join(voices)}.", param="voice")
    if not SLOWEST <= speed <= FASTEST:
        raise InvalidInput(f"The speed lies between {SLOWEST} and {FASTEST}.", param="speed")
    return voice or voices[0]
