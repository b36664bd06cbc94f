import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.manifest import Artefact, Kind, Manifest, Metric, Needs, Runtime
from edge.selection import METERED_BYTES, Offer, Profile, choose, obstacles
from tests.fakes.bundles import NOW, artefact, digest, manifest

MODEL = artefact(b"weights" * 100, peak_memory=10**8)
PHONE = Profile(abi="arm64-v8a", memory=4 * 10**8, storage=10**9)


def graded(name: str, low: float | None, peak: int = 10**8) -> Manifest:
    card = {} if low is None else {"tools": Metric(value=low + 0.05, low=low, high=low + 0.1)}
    return manifest(MODEL.model_copy(update={"card": card, "peak_memory": peak}), name=name)


@pytest.mark.parametrize(
    ("profile", "made", "download", "told"),
    [
        (PHONE, manifest(MODEL, expires=NOW + timedelta(seconds=1), created=NOW - timedelta(days=1)), 0, None),
        (PHONE, manifest(MODEL, expires=NOW, created=NOW - timedelta(days=1)), 0, "it expired on 2026-03-01"),
        (replace(PHONE, counters=(("assistant", 2),)), manifest(MODEL), 0, "the device has had a newer one"),
        (replace(PHONE, counters=(("assistant", 1),)), manifest(MODEL), 0, None),
        (PHONE, manifest(MODEL, needs=Needs(abis=("x86_64",))), 0, "it is for x86_64, and the device is arm64-v8a"),
        (replace(PHONE, runtimes=frozenset()), manifest(MODEL), 0, "the device has no llama.cpp"),
        (
            PHONE,
            manifest(artefact(b"x", "lora", Kind.ADAPTER, base=digest(b"b"))),
            0,
            "the base of lora is not on the device",
        ),
        (
            replace(PHONE, bases=frozenset({digest(b"b")})),
            manifest(artefact(b"x", "lora", Kind.ADAPTER, base=digest(b"b"))),
            0,
            None,
        ),
        (replace(PHONE, memory=9 * 10**7), manifest(MODEL), 0, "it takes 100.0 MB of memory, and 90.0 MB may be used"),
        (
            PHONE,
            manifest(MODEL, needs=Needs(memory=10**9)),
            0,
            "it takes 1,000.0 MB of memory, and 400.0 MB may be used",
        ),
        (replace(PHONE, storage=699), manifest(MODEL), 0, "it takes 0.0 MB of storage, and 0.0 MB are free"),
        (replace(PHONE, battery=0.1), manifest(MODEL), 1, "the battery is at 10%, and the device is not charging"),
        (replace(PHONE, battery=0.1, charging=True), manifest(MODEL), 1, None),
        (
            replace(PHONE, metered=True),
            manifest(MODEL),
            METERED_BYTES + 1,
            "20.0 MB are more than a metered network is asked for at once",
        ),
        (replace(PHONE, metered=True), manifest(MODEL), METERED_BYTES, None),
    ],
)
def test_each_obstacle_is_told_in_words(profile: Profile, made: Manifest, download: int, told: str | None) -> None:
    assert obstacles(profile, Offer(made, download), NOW) == (() if told is None else (told,))


def test_the_best_proven_one_is_chosen_and_the_others_are_explained() -> None:
    offers = [Offer(each, 500) for each in (graded("good", 0.7), graded("best", 0.9), graded("unmeasured", None))]
    offers.append(Offer(graded("huge", 0.99, 10**9), 500))
    choice = choose(PHONE, offers, NOW, "tools")
    assert choice.chosen is not None
    assert choice.chosen.name == "best"
    assert choice.reasons[1] == "its tools is at least 0.9"
    assert dict(choice.declined) == {
        "good": ("best is to be preferred",),
        "huge": ("it takes 1,000.0 MB of memory, and 400.0 MB may be used",),
        "unmeasured": ("best is to be preferred",),
    }


def test_nothing_offered_and_nothing_that_fits_are_told_apart() -> None:
    assert choose(PHONE, [], NOW, "tools").reasons == ("no bundle is offered",)
    none = choose(replace(PHONE, memory=1), [Offer(graded("a", 0.5), 1)], NOW, "tools")
    assert (none.chosen, none.reasons) == (None, ("no bundle fits this device",))


PROFILES = st.builds(
    Profile,
    abi=st.sampled_from(["arm64-v8a", "x86_64"]),
    memory=st.integers(0, 10**9),
    storage=st.integers(0, 2_000),
    battery=st.floats(0, 1),
    charging=st.booleans(),
    metered=st.booleans(),
    runtimes=st.frozensets(st.sampled_from(Runtime)),
    counters=st.sampled_from([(), (("a", 2),)]),
)


@st.composite
def offers(draw: st.DrawFn) -> list[Offer]:
    found = []
    for name in draw(st.sets(st.sampled_from("abcde"))):
        low = draw(st.none() | st.sampled_from([0.1, 0.5, 0.9]))
        parts: list[Artefact] = list(graded(name, low, draw(st.integers(0, 10**9))).artefacts)
        if draw(st.booleans()):
            parts.append(artefact(b"student" * 30, "student", Kind.TFLITE))
        needs = Needs(abis=draw(st.sampled_from([(), ("x86_64",)])), memory=draw(st.integers(0, 10**9)))
        made = manifest(*parts, name=name, needs=needs, counter=draw(st.integers(1, 3)))
        found.append(Offer(made, draw(st.integers(0, 2 * METERED_BYTES))))
    return found


@given(PROFILES, offers(), st.integers(0, 2**30))
@settings(max_examples=150, deadline=None)
def test_a_choice_fits_does_not_depend_on_the_order_and_explains_itself(
    profile: Profile, offered: list[Offer], seed: int
) -> None:
    choice = choose(profile, offered, NOW, "tools")
    fitting = [offer.manifest for offer in offered if not obstacles(profile, offer, NOW)]
    assert (choice.chosen in fitting) if fitting else (choice.chosen is None)
    assert choice.reasons
    told = {name for name, why in choice.declined if why}
    assert told == {offer.manifest.name for offer in offered if offer.manifest != choice.chosen}
    shuffled = list(offered)
    random.Random(seed).shuffle(shuffled)
    assert choose(profile, shuffled, NOW, "tools") == choice


@given(PROFILES, offers())
@settings(max_examples=100, deadline=None)
def test_a_better_device_never_has_less_to_choose_from(profile: Profile, offered: list[Offer]) -> None:
    better = replace(
        profile,
        memory=profile.memory * 2,
        storage=profile.storage * 2,
        charging=True,
        metered=False,
        runtimes=frozenset(Runtime),
    )
    for offer in offered:
        if not obstacles(profile, offer, NOW):
            assert not obstacles(better, offer, NOW)
