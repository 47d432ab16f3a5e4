r"""EXIF's UserComment, where A1111 and most viewers keep the generation data of anything that is no PNG.

Its first eight bytes name the encoding (Exif 2.32, table 9). A1111 writes ``UNICODE`` and UTF-16 with the most
significant byte first, whatever the order of the block; others write the order of the block, ASCII that is really
UTF-8, or no name at all.
"""

from __future__ import annotations

UNICODE, ASCII, JIS, UNDEFINED = b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)
_NAME = 8


def encode(text: str) -> bytes:
    r"""Write a text as A1111 does.

    >>> encode("a")
    b'UNICODE\x00\x00a'
    """
    return UNICODE + text.encode("utf-16-be")


def decode(comment: bytes, order: str = ">") -> str | None:
    r"""Read a text in any of the encodings; None when it is in none of them.

    Args:
        comment: the value, name of the encoding included.
        order: ``<`` or ``>`` of the block, which decides where the text itself cannot.

    >>> decode(b"ASCII\0\0\0a lantern"), decode(b"UNICODE\0a\0 \0l\0"), decode(encode("港"))
    ('a lantern', 'a l', '港')
    """
    name, body = comment[:_NAME], comment[_NAME:]
    if name == UNICODE:
        return _utf16(body, order)
    if name == JIS:
        return _first_of(body, "iso2022_jp", "shift_jis")
    if name in {ASCII, UNDEFINED}:
        return _first_of(body.rstrip(b"\0"), "utf-8", "latin-1")
    return _first_of(comment.rstrip(b"\0"), "utf-8")


def _first_of(body: bytes, *encodings: str) -> str | None:
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeError:
            continue
    return None


def _utf16(body: bytes, order: str) -> str | None:
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _first_of(body, "utf-16")
    # Prompts have spaces and commas, in every language: the order in which more letters are ASCII is the right one.
    big = sum(1 for high, low in zip(body[::2], body[1::2], strict=False) if high == 0 and low)
    little = sum(1 for low, high in zip(body[::2], body[1::2], strict=False) if high == 0 and low)
    is_big = big > little or (big == little and order == ">")
    first, second = ("utf-16-be", "utf-16-le") if is_big else ("utf-16-le", "utf-16-be")
    return _first_of(body, first, second)
