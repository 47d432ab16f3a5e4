"""The written documentation, taken apart: code blocks, code in running text, links, headings, trees."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
GUIDE = DOCS / "guide.md"
TARGETS = DOCS / "guide-targets.md"
GUIDES = [GUIDE, TARGETS]
REFERENCE = sorted((DOCS / "reference").glob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
WRITTEN = [README, ROOT / "CHANGELOG.md", DOCS / "README.md", *GUIDES, *DECISIONS]
"""What people wrote; the reference is generated."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BRANCH = re.compile(r"^[├└]── (\S+)", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def name_of(path: Path) -> str:
    """Name a file for the reader of a failed test."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(text_of(path)) if found == language]


def spans(path: Path) -> list[str]:
    return SPAN.findall(FENCE.sub("", text_of(path)))


def typed(path: Path) -> list[list[str]]:
    """Return the lines of the shell blocks, as words."""
    lines = (line for block in blocks(path, "sh") for line in block.splitlines())
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def links(path: Path) -> list[str]:
    return LINK.findall(FENCE.sub("", text_of(path)))


def anchors(path: Path) -> set[str]:
    """Return the names under which headings can be linked to."""
    titles = HEADING.findall(FENCE.sub("", text_of(path)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def tree(path: Path) -> list[str]:
    """Return the paths of the tree below the output folder."""
    return [branch for block in blocks(path, "text") for branch in BRANCH.findall(block)]
