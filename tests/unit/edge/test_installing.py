import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import (
    BundleDowngraded,
    BundleExpired,
    BundleMisdirected,
    BundleRefused,
    BundleTampered,
    BundleTruncated,
    BundleUnreadable,
    BundleUnsigned,
    Conflict,
    DownloadFailed,
    NotFound,
    RevokedSigner,
    UnknownSigner,
    WrongBase,
)
from edge.installing import Device, Installed
from edge.manifest import Artefact, Kind, Manifest
from edge.signing import KeyStatement
from tests.fakes.bundles import NOW, TENANT, Line, artefact, digest, manifest, signer

NOISE = random.Random(2)
BASE, LORA, KNOWLEDGE = NOISE.randbytes(1600), NOISE.randbytes(900), NOISE.randbytes(600)
CONTENTS = {"base": BASE, "tools": LORA, "knowledge": KNOWLEDGE}


def parts() -> list[Artefact]:
    return [
        artefact(BASE, "base"),
        artefact(LORA, "tools", Kind.ADAPTER, base=digest(BASE)),
        artefact(KNOWLEDGE, "knowledge", Kind.SNAPSHOT),
    ]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device.create(tmp_path / "device", TENANT, signer().public)


def signed(made: Manifest, by: int = 1, **more: Any) -> bytes:
    return signer(by).bundle(made, **more).content()


def install(device: Device, made: Manifest, contents: dict[str, bytes] | None = None, **options: Any) -> Installed:
    line = options.pop("line", None) or Line(contents or CONTENTS)
    return device.install(signed(made), line, NOW, pause=lambda _: None, **options)


def test_an_installed_bundle_is_handed_out_by_kind(device: Device) -> None:
    made = install(device, manifest(*parts()))
    assert made.fetched == sum(map(len, CONTENTS.values()))
    again = device.installed("assistant", NOW)
    assert again.manifest == manifest(*parts())
    [(adapter, path)] = again.of(Kind.ADAPTER)
    assert (adapter.id, path.read_bytes()) == ("tools", LORA)
    assert again.path("base").read_bytes() == BASE
    with pytest.raises(NotFound, match="not in the bundle"):
        again.path("speech")
    assert device.bases() == {digest(BASE)}


def test_installing_the_same_again_fetches_nothing(device: Device) -> None:
    install(device, manifest(*parts()))
    line = Line(CONTENTS)
    assert install(device, manifest(*parts()), line=line).fetched == 0
    assert line.ranges == []


def test_a_new_build_brings_what_is_new_and_keeps_the_one_before(device: Device, tmp_path: Path) -> None:
    for counter in (1, 2, 3):
        tuned = LORA + bytes([counter]) * 300
        changed = [parts()[0], artefact(tuned, "tools", Kind.ADAPTER, base=digest(BASE))]
        made = install(device, manifest(*changed, counter=counter), {"base": BASE, "tools": tuned})
        if counter > 1:
            assert made.fetched < len(tuned)
    kept = sorted(path.name for path in (tmp_path / "device" / "assistant").iterdir())
    assert kept == ["2", "3", "state.json"]
    state = device.state("assistant")
    assert state.current is not None
    assert state.previous is not None
    assert (state.current.counter, state.previous.counter) == (3, 2)


def test_going_back_and_forth_again(device: Device) -> None:
    one, two = manifest(artefact(b"one", "base")), manifest(artefact(b"two", "base"), counter=2)
    install(device, one, {"base": b"one"})
    with pytest.raises(Conflict, match="go back"):
        device.roll_back("assistant", NOW)
    install(device, two, {"base": b"two"})
    assert device.roll_back("assistant", NOW).manifest == one
    assert device.installed("assistant", NOW).path("base").read_bytes() == b"one"
    # What was the newest may come back without a byte over the network; anything else must be newer than it.
    with pytest.raises(BundleDowngraded):
        install(device, manifest(artefact(b"2nd", "base"), counter=2), {"base": b"2nd"})
    assert install(device, two, {}).fetched == 0
    assert device.installed("assistant", NOW).manifest == two


def test_a_broken_build_is_not_gone_back_to(device: Device, tmp_path: Path) -> None:
    install(device, manifest(artefact(b"one", "base")), {"base": b"one"})
    install(device, manifest(artefact(b"two", "base"), counter=2), {"base": b"two"})
    (tmp_path / "device" / "assistant" / "1" / "base.bin").write_bytes(b"???")
    with pytest.raises(BundleTampered):
        device.roll_back("assistant", NOW)
    assert device.installed("assistant", NOW).path("base").read_bytes() == b"two"


def refused(device: Device, error: type[BundleRefused], content: bytes, line: Line | None = None, **more: Any) -> None:
    """The bundle is refused with exactly this error, and what was in use before is used on."""
    before = device.state("assistant")
    with pytest.raises(error) as caught:
        device.install(content, line or Line(CONTENTS), more.pop("now", NOW), pause=lambda _: None, **more)
    assert type(caught.value) is error
    assert device.state("assistant") == before
    assert device.installed("assistant", NOW).path("base").read_bytes() == b"first"


@pytest.fixture
def used(device: Device) -> Device:
    """A device with build 5 in use."""
    install(device, manifest(artefact(b"first", "base"), counter=5), {"base": b"first"})
    return device


def test_each_fault_is_refused_with_its_own_error(used: Device) -> None:
    new = manifest(*parts(), counter=6)
    refused(used, BundleUnsigned, signer().bundle(new).model_copy(update={"signatures": ()}).content())
    refused(used, UnknownSigner, signed(new, by=2))
    refused(used, BundleTampered, signed(new).replace(b'"counter":6', b'"counter":9'))
    refused(used, BundleUnreadable, signed(new)[:-20])
    refused(used, BundleDowngraded, signed(manifest(*parts(), counter=4)))
    refused(used, BundleDowngraded, signed(manifest(*parts(), counter=5)))
    refused(used, BundleExpired, signed(new), now=NOW + timedelta(days=30))
    refused(used, BundleMisdirected, signed(new), name="other")
    refused(used, BundleMisdirected, signed(manifest(artefact(b"x", "base"), counter=6, tenant="rival")))
    refused(used, WrongBase, signed(manifest(parts()[1], counter=6)))
    wrong = Line(CONTENTS, wrong=lambda content: content[:-1] + b"?")
    refused(used, BundleTampered, signed(new), wrong)
    refused(used, BundleTruncated, signed(new), Line(CONTENTS, wrong=lambda content: content[:-1]))
    install(used, new)


def test_a_revocation_is_remembered_even_when_its_bundle_is_not_installed(used: Device) -> None:
    says = signer(1).keys(KeyStatement(adds=signer(2).public, revokes=(signer(1).public.id,), made=NOW))
    told = signed(manifest(*parts(), counter=6), by=2, statements=(says,))
    with pytest.raises(DownloadFailed):
        used.install(told, Line(CONTENTS, [0] * 9), NOW, pause=lambda _: None)
    refused(Device(used._folder), RevokedSigner, signed(manifest(*parts(), counter=7)))
    # What was installed under the old key works on, and the new key's bundle comes in.
    assert used.install(told, Line(CONTENTS), NOW).manifest.counter == 6


def test_a_base_may_be_on_the_device_already(used: Device) -> None:
    adapter = manifest(parts()[1], counter=1, name="tools")
    assert install(used, adapter, on_device=frozenset({digest(BASE)})).path("tools").read_bytes() == LORA
    other = artefact(LORA, "tools", Kind.ADAPTER, base=digest(b"first"))
    # The base of another bundle that is in use does as well.
    assert install(used, manifest(other, name="more")).path("tools").read_bytes() == LORA


def test_a_download_broken_at_every_byte_goes_on_with_the_next_try(used: Device) -> None:
    made, tries = manifest(*parts(), counter=6), 0
    line = Line(CONTENTS, [37, 0] * 500)
    while True:
        tries += 1
        try:
            install(used, made, line=line, patience=0)
            break
        except DownloadFailed:
            assert used.installed("assistant", NOW).path("base").read_bytes() == b"first"
    assert tries > 10
    assert line.sent == sum(map(len, CONTENTS.values()))
    assert used.installed("assistant", NOW).path("base").read_bytes() == BASE


def test_killed_between_the_two_last_steps_the_next_try_ends_them(used: Device, tmp_path: Path) -> None:
    """The files are in place, but nothing says that they are in use."""
    home = tmp_path / "device" / "assistant"
    before = (home / "state.json").read_bytes()
    install(used, manifest(*parts(), counter=6))
    (home / "state.json").write_bytes(before)
    assert used.installed("assistant", NOW).path("base").read_bytes() == b"first"
    line = Line(CONTENTS)
    install(used, manifest(*parts(), counter=6), line=line)
    assert line.ranges == []
    assert used.installed("assistant", NOW).path("base").read_bytes() == BASE


@pytest.mark.parametrize(
    ("content", "error"), [(BASE[:-1], BundleTruncated), (bytes(len(BASE)), BundleTampered), (None, BundleTruncated)]
)
def test_files_are_verified_each_time_they_are_handed_out(
    device: Device, tmp_path: Path, content: bytes | None, error: type[BundleRefused]
) -> None:
    install(device, manifest(*parts()))
    path = device.installed("assistant", NOW).path("base")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        device.installed("assistant", NOW)
    # Installing it anew repairs it.
    assert install(device, manifest(*parts())).path("base").read_bytes() == BASE


def test_a_manifest_that_was_exchanged_on_the_device_is_noticed(used: Device, tmp_path: Path) -> None:
    path = tmp_path / "device" / "assistant" / "5" / "manifest.json"
    path.write_bytes(signed(manifest(artefact(b"other", "base"), counter=5)))
    with pytest.raises(BundleTampered):
        used.installed("assistant", NOW)
    path.unlink()
    with pytest.raises(BundleTampered, match="gone"):
        used.installed("assistant", NOW)


def test_an_expired_snapshot_is_deleted_and_the_rest_works_on(device: Device) -> None:
    install(device, manifest(*parts()))
    path = device.installed("assistant", NOW).path("knowledge")
    later = device.installed("assistant", NOW + timedelta(days=7))
    assert later.expired == ("knowledge",)
    assert later.of(Kind.SNAPSHOT) == ()
    assert later.path("base").read_bytes() == BASE
    assert not path.exists()
    with pytest.raises(NotFound, match="expired"):
        later.path("knowledge")


def test_a_device_is_set_up_once(device: Device, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        Device.create(tmp_path / "device", "rival", signer(2).public)
    assert device.tenant == TENANT
    assert (tmp_path / "device" / "device.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound, match="never set up"):
        Device(tmp_path / "nowhere").trust  # noqa: B018 (reading it is the test)
    with pytest.raises(NotFound, match="no bundle"):
        device.installed("assistant", NOW)


def test_two_installs_at_once_are_one_too_many(device: Device) -> None:
    class Meddling(Line):
        def fetch(self, artefact: Artefact, start: int, stop: int) -> Any:
            with pytest.raises(Conflict, match="under way"):
                install(device, manifest(*parts()))
            return super().fetch(artefact, start, stop)

    assert install(device, manifest(*parts()), line=Meddling(CONTENTS)).fetched
