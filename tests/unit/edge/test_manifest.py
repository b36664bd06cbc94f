from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core.types import Audience, Principal, Role
from edge.manifest import Kind, Manifest, Metric, Reach, Runtime
from tests.fakes.bundles import NOW, TENANT, artefact, digest, manifest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"runtime": Runtime.LITERT}, "opened by llama.cpp"),
        ({"base": "0" * 64}, "an adapter names its base"),
        ({"kind": Kind.ADAPTER}, "an adapter names its base"),
        ({"reach": Reach(tenant=TENANT, audience=Audience.PUBLIC)}, "a snapshot says whose"),
        ({"size": 8}, "do not add up"),
        ({"file": "../model.gguf"}, "file"),
        ({"file": ".hidden"}, "file"),
        ({"licence": " "}, "licence"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_artefact_that_contradicts_itself_is_none(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        artefact(b"weights", **change)


def test_a_snapshot_expires_and_holds_the_tenants_own_knowledge() -> None:
    with pytest.raises(ValidationError, match="a snapshot expires"):
        artefact(b"s", "knowledge", Kind.SNAPSHOT, expires=None)
    other = artefact(b"s", "knowledge", Kind.SNAPSHOT, reach=Reach(tenant="rival", audience=Audience.PUBLIC))
    with pytest.raises(ValidationError, match="another tenant"):
        manifest(other)


@pytest.mark.parametrize("value", [0.1, 0.9])
def test_a_metric_lies_in_its_interval(value: float) -> None:
    with pytest.raises(ValidationError, match="does not hold"):
        Metric(value=value, low=0.2, high=0.8)


def test_ids_and_files_are_each_once() -> None:
    one, other = artefact(b"a", "a"), artefact(b"b", "b")
    with pytest.raises(ValidationError, match="the same id"):
        manifest(one, other.model_copy(update={"id": "a"}))
    with pytest.raises(ValidationError, match="the same file"):
        manifest(one, other.model_copy(update={"file": "A.bin"}))
    with pytest.raises(ValidationError, match="expires after"):
        manifest(one, expires=NOW)


def test_a_manifest_is_the_same_after_a_journey() -> None:
    card = {"tools_exact": Metric(value=0.91, low=0.9, high=0.93)}
    made = manifest(artefact(b"weights", card=card), artefact(b"k", "knowledge", Kind.SNAPSHOT))
    assert Manifest.model_validate_json(made.model_dump_json()) == made
    assert made.size == 8
    assert made.peak_memory == 16
    assert made.artefact("knowledge") is made.artefacts[1]
    assert made.artefact("nothing") is None
    assert made.artefacts[0].etag == f'"{digest(b"weights")}"'


def test_the_base_of_an_adapter_is_in_the_bundle_or_on_the_device() -> None:
    base = digest(b"weights")
    adapter = artefact(b"lora", "tools", Kind.ADAPTER, base=base)
    assert manifest(adapter, artefact(b"weights")).missing_bases() == {}
    assert manifest(adapter).missing_bases() == {"tools": base}
    assert manifest(adapter, artefact(b"other")).missing_bases(frozenset({base})) == {}
    # A file that only happens to have the hash is no base model.
    assert manifest(adapter, artefact(b"weights", kind=Kind.DATA)).missing_bases() == {"tools": base}


@pytest.mark.parametrize(
    ("audience", "customer", "seen"),
    [
        (Audience.PUBLIC, None, {"client", "other client", "staff"}),
        (Audience.STAFF, None, {"staff"}),
        (Audience.PUBLIC, "CUS-1", {"client", "staff"}),
    ],
)
def test_a_bundle_is_for_those_whom_its_knowledge_is_for(
    audience: Audience, customer: str | None, seen: set[str]
) -> None:
    reach = Reach(tenant=TENANT, audience=audience, customer=customer)
    made = manifest(artefact(b"weights"), artefact(b"s", "knowledge", Kind.SNAPSHOT, reach=reach))
    callers = {
        "client": Principal("k1", TENANT, Role.CLIENT, "CUS-1"),
        "other client": Principal("k2", TENANT, Role.CLIENT, "CUS-2"),
        "staff": Principal("k3", TENANT, Role.STAFF),
        "stranger": Principal("k4", "rival", Role.ADMIN),
        "strange client": Principal("k5", "rival", Role.CLIENT, "CUS-1"),
    }
    assert {name for name, caller in callers.items() if made.visible_to(caller)} == seen


def test_bounds_of_time_are_told_with_their_zone() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        manifest(expires=(NOW + timedelta(days=1)).replace(tzinfo=None))
