"""The API keeps what its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.studio.serving import studio

pytest.importorskip("schemathesis")

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"


@pytest.mark.slow
def test_the_api_keeps_its_word(tmp_path: Path) -> None:
    """No answer of 500, none that the document does not name, for hundreds of made-up requests."""
    with studio(tmp_path, jobs_burst=100_000, jobs_per_second=1000.0) as served:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://127.0.0.1:{served.port}/api/openapi.json",
            *("--header", f"Authorization: Bearer {served.key}"),
            *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", "25", "--seed", "1", "--no-color"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
