"""What a start does not wait for."""

import subprocess
import sys
from pathlib import Path


def test_a_start_imports_neither_mcp_nor_another_apis_client() -> None:
    late = "'mcp', 'langchain_mcp_adapters', 'openai'"
    check = f"import sys, app.gateway, app.wiring; sys.exit(', '.join(sys.modules.keys() & {{{late}}}) or None)"
    subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[2], check=True)


def test_a_start_imports_no_recogniser() -> None:
    opening = "open_senses(Settings(demo=False), ModelStore(), AsyncExitStack())"
    check = (
        "import sys; from contextlib import AsyncExitStack; from app.senses import open_senses; "
        "from core.modelstore import ModelStore; from core.settings import Settings; "
        f"{opening}.transcriber; sys.exit('faster_whisper' in sys.modules or 'rapidocr' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[2], check=True)
