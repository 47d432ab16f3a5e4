"""Makes ``docs/demo.svg``, the README's picture: what a terminal shows of a real ``civitscrape demo``.

``python -m docs.picture``, on a system that has pseudo-terminals.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sysconfig
import tempfile
import termios
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console, Group
from rich.text import Text

# Rich gives its format no public name; the font that it names is another site's, and nobody's page should ask for it.
from rich._export_format import CONSOLE_SVG_FORMAT  # isort: skip

PICTURE = Path(__file__).parent / "demo.svg"
PROMPT = "$ civitscrape demo"
COLUMNS, LINES = 96, 60
FONT = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"

_FONT_FACES = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)


def record(folder: Path) -> str:
    """Run the demo in a folder, on a pseudo-terminal; return everything that it wrote.

    Raises:
        subprocess.CalledProcessError: the demo failed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
    command = [str(Path(sysconfig.get_path("scripts"), "civitscrape")), "demo"]
    written = bytearray()
    with subprocess.Popen(  # noqa: S603 (our own words)
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **size}
    ) as process:
        os.close(theirs)
        while chunk := _read(ours):
            written += chunk
    os.close(ours)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, written.decode(errors="replace"))
    return written.decode()


def _read(terminal: int) -> bytes:
    """Read what comes next; nothing when the other side is closed, which Linux calls an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def shown(written: str, folder: Path) -> list[Text]:
    """Turn what was written into the lines that stay on the screen.

    Paths lose the folder that the demo was run in: it is this machine's.
    """
    plain = written.replace("\r\n", "\n").replace(f"{folder}{os.sep}", "")
    return list(AnsiDecoder().decode(plain.strip()))


def draw(lines: list[Text]) -> str:
    """Draw lines as a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Group(Text(PROMPT, style="bold"), *lines))
    template = _FONT_FACES.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code, monospace", FONT)
    svg = console.export_svg(title="civitscrape demo", code_format=template, unique_id="demo")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Make the picture anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        PICTURE.write_text(draw(shown(record(folder), folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
