"""What may lie beside a stored file and belongs to it, by its name: one list for all who write, move or check it."""

from __future__ import annotations

from typing import NamedTuple

from civitscrape.archive import paths
from civitscrape.ledger import POSTER as STILL


class Companion(NamedTuple):
    """A kind of file that lies beside another."""

    ending: str
    """What its name has in place of the other's extension."""
    behind: bool = False
    """Whether the ending stands behind the whole name of the other, extension and all."""

    def of(self, path: str) -> str:
        """Name it; of a kind that comes in several formats the extension is still to follow.

        >>> JSON.of("lampwright/7.png"), TAGS.of("lampwright/7.png"), POSTER.of("lampwright/7.mp4") + ".jpeg"
        ('lampwright/7.json', 'lampwright/7.png.txt', 'lampwright/7.poster.jpeg')
        """
        return (path if self.behind else paths.stem(path)) + self.ending


JSON = Companion(".json")
TEXT = Companion(".txt")
TAGS = Companion(".txt", behind=True)
META = Companion("_meta.txt")
NO_META = Companion("_no_meta.txt")
CAPTION = Companion(".caption")
TAG_LIST = Companion(".tags")
"""With the captions, what other programs put beside pictures."""
INFO = Companion(".civitai.info")
"""Beside model files, where model browsers look for it."""

WEBP = Companion(".webp")
"""Made of the file beside it; the row of that file in ``media`` names it."""

PREVIEW = Companion(".preview")
"""Beside model files, a picture in any format."""
POSTER = Companion(f".{STILL}")
"""Beside videos, a picture in any format; it has a row of its own in ``media``."""

UNNAMED = (JSON, TEXT, TAGS, META, NO_META, CAPTION, TAG_LIST, INFO)
"""Those that no row names."""


def texts(path: str) -> list[str]:
    """Name all that may lie beside a file and that no row names.

    >>> texts("a/7.png")[:5]
    ['a/7.json', 'a/7.txt', 'a/7.png.txt', 'a/7_meta.txt', 'a/7_no_meta.txt']
    """
    return [kind.of(path) for kind in UNNAMED]


def owner(path: str) -> str | None:
    """Name the file that a companion has in its own name, extension and all; None for what is no such companion.

    >>> owner("lampwright/7.png.txt"), owner("lampwright/7.png")
    ('lampwright/7.png', None)
    """
    return next(
        (path.removesuffix(kind.ending) for kind in UNNAMED if kind.behind and path.endswith(kind.ending)), None
    )


def owner_stems(path: str) -> list[str]:
    """Take the path of a companion back to what it may share with the file that it belongs to; none for other files.

    >>> owner_stems("lampwright/7.json"), owner_stems("29/31-lantern.preview.png"), owner_stems("lampwright/7.png")
    (['lampwright/7'], ['29/31-lantern'], [])
    >>> owner_stems("lampwright/7_meta.txt")
    ['lampwright/7_meta', 'lampwright/7']
    """
    found = [path.removesuffix(kind.ending) for kind in UNNAMED if not kind.behind and path.endswith(kind.ending)]
    stem, dot, extension = path.rpartition(f"{PREVIEW.ending}.")
    return [*found, stem] if dot and "/" not in extension else found
