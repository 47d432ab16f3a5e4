"""What makes one name safe: legal on every system, unlike any other's, and itself where it already was."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

IDENTIFIERS = {
    "id": re.compile(r"[0-9]{1,20}"),
    "key": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:@[a-z]{1,16}(?:=[0-9]{1,4})?)?"),
}
"""Fields that keep two items apart, and how their values look; behind a key may stand the name of a rendition."""
IDENTIFIER_SIZE = 36
"""Characters of the longest usual identifier, a key."""
EXTENSION_SIZE = 16
"""Longest extension, its dot included."""

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,15}")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_FORBIDDEN = re.compile(
    '[\x00-\x1f\x7f-\x9f<>:"/\\\\|?*\u2028\u2029\ud800-\udfff\ufdd0-\ufdef'
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
"""What some file system refuses: control characters, Windows' own signs, surrogates, code points without character."""
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""What cannot be seen or turns the text around it; a fixed list, because Python's own grows with each version."""
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"]
)
"""Names that Windows keeps for devices, whatever extension follows."""


class Measure(NamedTuple):
    """A way of counting text."""

    encoding: str
    """How the text is encoded to be counted."""
    width: int
    """Bytes of one unit."""

    def size(self, text: str) -> int:
        """Count the units of a text."""
        return len(text.encode(self.encoding)) // self.width

    def cut(self, text: str, limit: int) -> str:
        """Keep as many units as the limit allows, and never half a character."""
        return text.encode(self.encoding)[: limit * self.width].decode(self.encoding, "ignore")


BYTES = Measure("utf-8", 1)
"""As Linux and macOS count."""
UNITS = Measure("utf-16-le", 2)
"""As Windows counts."""


def identifier(name: str, text: str) -> str:
    """Keep an id or key as it is; one of an unusual form is put between tildes, with its hash.

    Either form can be told from whatever stands beside it, and neither changes with case.

    >>> identifier("id", "42"), identifier("id", "Mira")
    ('42', '~Mira~1b2465d9')
    """
    if IDENTIFIERS[name].fullmatch(text):
        return text
    head = legal(text).replace("~", "_")
    return f"~{BYTES.cut(head, 24)}~{_hash(text)}"


def extension(text: str) -> str:
    """Keep an extension, or make one of the same form: a single dot, then letters and digits.

    >>> extension(".png"), extension("png"), extension("")
    ('.png', '.png', '.unknown')
    """
    if not text:
        return ".unknown"
    dotted = f".{text.lstrip('.')}"
    if _EXTENSION.fullmatch(dotted):
        return dotted
    return f".{re.sub('[^A-Za-z0-9]', '', text)[:7]}{_hash(text)}"


def safe(value: str, limit: int, measure: Measure) -> str:
    """Make any text usable as a whole name, or at any place of one; a value that is already safe stays as it is.

    >>> safe("harbour_lights", 255, BYTES), safe("a/b", 255, BYTES)
    ('harbour_lights', 'a_b~82badf67')
    """
    if _PLAIN.fullmatch(value) and len(value) <= limit and not is_device(value):  # the usual case, without the cost
        return value
    original = unicodedata.normalize("NFC", value)
    text = legal(original).lstrip(" ").rstrip(" .")
    if not text or text[0] == ".":  # a hidden name, or one that could lead up or into the folder of parts
        text = f"_{text[1:]}"
    if is_device(text):
        text = f"_{text}"
    if text == original and measure.size(text) <= limit:
        return text
    mark = f"~{_hash(original)}"
    return measure.cut(text, limit - len(mark)).rstrip(" .") + mark


def legal(text: str) -> str:
    """Replace what some system refuses, drop what cannot be seen, and compose accents."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _FORBIDDEN.sub("_", text)))


def is_device(part: str) -> bool:
    """Tell whether Windows takes a name for one of its devices.

    >>> is_device("aux.tar.gz"), is_device("auxiliary.png")
    (True, False)
    """
    return part.partition(".")[0].rstrip(" ").upper() in _DEVICES


def _hash(text: str) -> str:
    """Give 8 hexadecimal digits that stay the same on every machine and in every version."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
