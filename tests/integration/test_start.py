"""What a start does not wait for."""

import subprocess
import sys
from pathlib import Path


def test_a_start_imports_no_mcp() -> None:
    check = (
        "import sys, app.gateway, app.wiring; sys.exit('mcp' in sys.modules or 'langchain_mcp_adapters' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[2], check=True)


def test_a_start_imports_no_recogniser() -> None:
    opening = "open_senses(Settings(demo=False), ModelStore(), AsyncExitStack())"
    check = (
        "import sys; from contextlib import AsyncExitStack; from app.senses import open_senses; "
        "from core.modelstore import ModelStore; from core.settings import Settings; "
        f"{opening}.transcriber; sys.exit('faster_whisper' in sys.modules or 'rapidocr' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[2], check=True)
