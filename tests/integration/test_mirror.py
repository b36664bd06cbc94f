"""The registry on a real MLflow store."""

from __future__ import annotations

import json
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.killing import ROOT


@pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow-skinny (extra mlflow) is not installed")
async def test_mlflow_is_told_of_versions_metrics_and_aliases(tmp_path: Path) -> None:
    process = await create_subprocess_exec(
        sys.executable, "-m", "tests.integration.mirroring", str(tmp_path), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    told = json.loads(output.decode().splitlines()[-1])
    assert told["before"]["versions"] == ["1", "2"]
    assert told["before"]["aliases"] == {"challenger": "2", "champion": "1"}
    assert told["before"]["params"] == {
        "kind": "adapter",
        "base": "b" * 64,
        "data": "d" * 64,
        "recipe": "r" * 64,
        "code": "abc1234",
    }
    assert told["before"]["metrics"] == {
        "tools/exact": 0.86,
        "tools/exact/low": 0.84,
        "tools/exact/high": 0.88,
        "tools/exact/cases": 200.0,
    }
    assert told["before"]["card"].startswith("# House adapter")
    assert told["after"]["versions"] == ["1", "2"]
    assert told["after"]["aliases"] == {"champion": "2"}
    assert told["champion"] == 1
