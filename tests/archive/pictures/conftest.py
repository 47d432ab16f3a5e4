"""A reader of pictures that is not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def exiftool(tmp_path: Path) -> Callable[[bytes], dict[str, Any]]:
    """Read a file with exiftool: its tags by group and name."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip(
            "exiftool is not installed (Debian: apt install libimage-exiftool-perl; macOS: brew install exiftool)"
        )

    def read(content: bytes) -> dict[str, Any]:
        path = tmp_path / "read.webp"
        path.write_bytes(content)
        words = [program, "-json", "-G1", "-struct", "-b", "-a", "-all", "-validate", "-warning", str(path)]
        found = subprocess.run(words, capture_output=True, check=True).stdout
        tags: dict[str, Any] = json.loads(found)[0]
        return tags

    return read
