import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import CorruptArtefact, InvalidInput, MissingExtra, NotFound
from core.modelsources import fetch
from core.modelstore import Model, ModelFile, ModelStore, catalogue, default_cache

WEIGHTS, CONFIG = b"weights" * 1000, b"{}"


def pinned(path: str, content: bytes) -> ModelFile:
    return ModelFile(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def model(source: Path, *files: ModelFile) -> Model:
    return Model(name="tiny", task="chat", description="d", licence="MIT", source=f"path:{source}", files=files)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model.gguf").write_bytes(WEIGHTS)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


@pytest.fixture
def store(tmp_path: Path, source: Path) -> ModelStore:
    files = (pinned("deep/model.gguf", WEIGHTS), pinned("config.json", CONFIG))
    return ModelStore(tmp_path / "cache", [model(source, *files)])


def leftovers(store: ModelStore) -> list[Path]:
    return list(store.cache.glob(".*"))


def test_pull_brings_the_files_and_tells_how_far_it_is(store: ModelStore) -> None:
    told: list[tuple[str, int, int]] = []
    folder = store.pull("tiny", lambda *step: told.append(step))
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert (folder / "config.json").read_bytes() == CONFIG
    total = len(WEIGHTS) + len(CONFIG)
    assert told[-1] == ("tiny", total, total)
    assert store.path("tiny") == folder
    assert leftovers(store) == []


def test_a_model_of_one_file_is_that_file(tmp_path: Path, source: Path) -> None:
    store = ModelStore(tmp_path / "cache", [model(source, pinned("deep/model.gguf", WEIGHTS))])
    assert store.pull("tiny").name == "model.gguf"


def test_what_is_here_is_not_fetched_again(store: ModelStore, source: Path) -> None:
    store.pull("tiny")
    (source / "config.json").unlink()
    told: list[object] = []
    store.pull("tiny", lambda *step: told.append(step))
    assert told == []


def test_an_absent_model_names_the_command(store: ModelStore) -> None:
    assert not store.has("tiny")
    with pytest.raises(NotFound, match="wayside models pull tiny"):
        store.path("tiny")


def test_an_unknown_model_names_the_known_ones(store: ModelStore) -> None:
    for ask in (store.path, store.pull, store.has):
        with pytest.raises(NotFound, match="tiny"):
            ask("nothere")


def test_a_damaged_file_is_deleted_and_can_be_pulled_again(store: ModelStore) -> None:
    damaged = store.pull("tiny") / "model.gguf"
    damaged.write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(CorruptArtefact, match="pinned"):
        store.path("tiny")
    assert not damaged.exists()
    store.pull("tiny")
    assert damaged.read_bytes() == WEIGHTS


def test_a_source_with_another_file_leaves_nothing_behind(store: ModelStore, source: Path) -> None:
    (source / "deep" / "model.gguf").write_bytes(b"something else")
    with pytest.raises(CorruptArtefact):
        store.pull("tiny")
    assert not store.has("tiny")
    assert leftovers(store) == []


def test_a_source_without_the_file_is_not_found(store: ModelStore, source: Path) -> None:
    (source / "config.json").unlink()
    with pytest.raises(NotFound, match=r"config\.json"):
        store.pull("tiny")


def test_two_pulls_at_once_both_succeed(store: ModelStore) -> None:
    with ThreadPoolExecutor(4) as threads:
        paths = set(threads.map(lambda _: store.pull("tiny"), range(8)))
    assert len(paths) == 1
    assert leftovers(store) == []


@pytest.mark.parametrize("name", ["model.pkl", "pytorch_model.bin", "model.pt", "model"])
def test_formats_that_can_carry_code_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"only .*gguf"):
        pinned(name, b"x")


def test_a_path_names_a_file_of_the_users(store: ModelStore, source: Path) -> None:
    own = source / "deep" / "model.gguf"
    assert store.path(str(own)) == own
    assert store.pull(str(own)) == own
    with pytest.raises(NotFound, match=r"gone\.gguf"):
        store.path(str(source / "gone.gguf"))
    with pytest.raises(InvalidInput, match="only"):
        store.path(str(source / "model.pkl"))


def test_a_changed_pin_does_not_meet_the_old_files(store: ModelStore, tmp_path: Path, source: Path) -> None:
    old = store.pull("tiny")
    (source / "config.json").write_bytes(b"[]")
    files = (pinned("deep/model.gguf", WEIGHTS), pinned("config.json", b"[]"))
    new = ModelStore(tmp_path / "cache", [model(source, *files)])
    assert not new.has("tiny")
    assert new.pull("tiny") != old


def test_the_catalogue_names_each_model_once() -> None:
    names = [row.name for row in catalogue()]
    assert len(set(names)) == len(names)
    assert {"smollm2-135m-instruct", "all-minilm-l6-v2"} <= set(names)


def test_the_cache_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/wayside/models")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == Path.home() / ".cache/wayside/models"


@pytest.mark.parametrize("source", ["ftp://host/x", "nothing"])
def test_an_unknown_kind_of_source_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="scheme"):
        fetch(source, ["model.gguf"], tmp_path, lambda _: None)


def test_a_hub_source_needs_a_revision_or_the_package(tmp_path: Path) -> None:
    with pytest.raises((InvalidInput, MissingExtra)):
        fetch("hub:owner/name", ["model.gguf"], tmp_path, lambda _: None)
