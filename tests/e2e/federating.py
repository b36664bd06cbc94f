"""Devices as processes of their own: `python -m tests.e2e.federating KIND URL KEYFILE NAME ROWS`.

`honest` does what the program does; `hanging` is drawn, says so, and never answers; `poisonous` tries what it can.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app.device.federating import HttpFederating, read_rows, take_part
from core.errors import ApiError
from tabular.federated.task import Floats


def say(text: str) -> None:
    print(text, flush=True)


class Hanging(HttpFederating):
    """Never answers."""

    def submit(self, name: str, number: int, update: Floats) -> None:
        say("hanging")
        time.sleep(3600)


class Poisonous(HttpFederating):
    """Sends what is no update, an old round's, and at last a huge step the other way, twice."""

    def submit(self, name: str, number: int, update: Floats) -> None:
        for attempt, wrong, of in (("shape", update[:-1], number), ("replayed", update, number - 1 or 99)):
            try:
                super().submit(name, of, wrong)
                say(f"{attempt} was taken")
            except ApiError as refused:
                say(f"{attempt} refused: {refused.code}")
        # What no honest client can even write down.
        numbers = ",".join(["1e999"] * len(update))
        content = f'{{"round": {number}, "update": [{numbers}]}}'
        headers = {"content-type": "application/json"}
        infinite = self._http.post(f"/api/federated/{name}/updates", content=content, headers=headers)
        say(f"infinite refused: {infinite.status_code}")
        super().submit(name, number, -1e9 * update)
        try:
            super().submit(name, number, -2e9 * update[::-1])
            say("twice was taken")
        except ApiError as refused:
            say(f"twice refused: {refused.code}")


KINDS = {"honest": HttpFederating, "hanging": Hanging, "poisonous": Poisonous}


def main(kind: str, url: str, key_file: str, name: str, rows: str) -> None:
    with KINDS[kind](url, Path(key_file).read_text().strip()) as gateway:
        took = take_part(gateway, name, read_rows(Path(rows)), most_epsilon=8.0, say=say)
    say(f"ended: {took.taken} taken, {took.passed} passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
