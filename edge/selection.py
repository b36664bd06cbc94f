"""Which bundle a device should have: a pure function of what it is and what is offered, with its reasons in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edge.manifest import Manifest, Runtime

# Below this charge a device that is not plugged in installs nothing.
LOW_BATTERY = 0.2
# What a metered network is asked for at once, in bytes.
METERED_BYTES = 20 * 10**6


@dataclass(frozen=True, slots=True)
class Profile:
    """What a device is, and how it stands now.

    `memory` is what the program may use and `storage` what is free, in bytes; `battery` is from 0 to 1. `runtimes` are
    those that it has, `bases` the SHA-256 of the models on it, `counters` the highest counter that it had of each name.
    """

    abi: str
    memory: int
    storage: int
    battery: float = 1.0
    charging: bool = False
    metered: bool = False
    runtimes: frozenset[Runtime] = frozenset(Runtime)
    bases: frozenset[str] = frozenset()
    counters: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle on offer. `download` is how many bytes this device would have to fetch for it."""

    manifest: Manifest
    download: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, if anything fits, why; and for each bundle that was not chosen the reasons, by its name."""

    chosen: Manifest | None
    reasons: tuple[str, ...]
    declined: tuple[tuple[str, tuple[str, ...]], ...]


def choose(profile: Profile, offers: Iterable[Offer], now: datetime, metric: str) -> Choice:
    """Of the bundles that fit the device, the one whose `metric` has the highest lower bound.

    A bundle without the metric comes after all that have it. Between equals the one with less memory is taken, then
    the smaller download, then the first name, so the order of the offers does not matter.
    """
    every = list(offers)
    against = [(offer, obstacles(profile, offer, now)) for offer in every]
    fitting = sorted((offer for offer, why in against if not why), key=lambda offer: _rank(offer, metric))
    declined = [(offer.manifest.name, why) for offer, why in against if why]
    if not fitting:
        told = "no bundle fits this device" if every else "no bundle is offered"
        return Choice(None, (told,), tuple(sorted(declined)))
    best, *others = fitting
    quality = _quality(best.manifest, metric)
    measured = f"{metric} is at least {quality:.3g}" if quality is not None else f"{metric} was not measured"
    reasons = (
        f"{best.manifest.name} {best.manifest.counter} fits: it takes {_mb(best.manifest.peak_memory)} of memory",
        f"its {measured}",
        f"{_mb(best.download)} of {_mb(best.manifest.size)} have to be fetched",
    )
    declined += [(offer.manifest.name, (f"{best.manifest.name} is to be preferred",)) for offer in others]
    return Choice(best.manifest, reasons, tuple(sorted(declined)))


def obstacles(profile: Profile, offer: Offer, now: datetime) -> tuple[str, ...]:
    """Why the device should not have the bundle now, in words; nothing when it may."""
    manifest, needs = offer.manifest, offer.manifest.needs
    found = list[str]()
    if now >= manifest.expires:
        found.append(f"it expired on {manifest.expires:%Y-%m-%d}")
    if manifest.counter < dict(profile.counters).get(manifest.name, 0):
        found.append("the device has had a newer one")
    if needs.abis and profile.abi not in needs.abis:
        found.append(f"it is for {', '.join(needs.abis)}, and the device is {profile.abi}")
    if lacking := sorted(
        {each.runtime.value for each in manifest.artefacts} - {each.value for each in profile.runtimes}
    ):
        found.append(f"the device has no {', '.join(lacking)}")
    if bases := manifest.missing_bases(profile.bases):
        found.append(f"the base of {', '.join(sorted(bases))} is not on the device")
    if (wanted := max(needs.memory, manifest.peak_memory)) > profile.memory:
        found.append(f"it takes {_mb(wanted)} of memory, and {_mb(profile.memory)} may be used")
    # The new files lie beside the old ones until they are whole, also those that a delta puts together.
    if manifest.size > profile.storage:
        found.append(f"it takes {_mb(manifest.size)} of storage, and {_mb(profile.storage)} are free")
    if offer.download and profile.battery < LOW_BATTERY and not profile.charging:
        found.append(f"the battery is at {profile.battery:.0%}, and the device is not charging")
    if profile.metered and offer.download > METERED_BYTES:
        found.append(f"{_mb(offer.download)} are more than a metered network is asked for at once")
    return tuple(found)


def _rank(offer: Offer, metric: str) -> tuple[bool, float, int, int, str]:
    quality = _quality(offer.manifest, metric)
    manifest = offer.manifest
    return quality is None, -(quality or 0.0), manifest.peak_memory, offer.download, manifest.name


def _quality(manifest: Manifest, metric: str) -> float | None:
    """The highest lower bound that an artefact of the bundle has for the metric."""
    return max((each.card[metric].low for each in manifest.artefacts if metric in each.card), default=None)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
