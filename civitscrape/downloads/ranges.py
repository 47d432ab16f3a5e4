"""How a download goes on in the middle: what is asked for, and what an answer to that means (RFC 9110 §13, §14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a server said of a file: by this a part of it is told from a part of another."""

    url: str
    """Address without its query, which may be a signature."""
    etag: str | None = None
    """Strong entity tag with its quotes; a weak one promises nothing about bytes."""
    modified: str | None = None
    """``Last-Modified`` as it came."""
    size: int | None = None
    """Bytes of the whole file; None where nobody said."""

    @property
    def validator(self) -> str | None:
        """What ``If-Range`` is sent with; None where the server gave nothing that it could be asked by."""
        return self.etag or self.modified


class Verdict(StrEnum):
    """What an answer to a request for the rest of a file means."""

    GOES_ON = "goes on"
    """The body is what is missing."""
    WHOLE = "whole"
    """Nothing is missing."""
    CHANGED = "changed"
    """The part is of no use: of another file, or not what was asked for."""
    OTHER = "other"
    """Nothing about the part: the file from its first byte, a redirect, a refusal."""


@dataclass(frozen=True, slots=True)
class Span:
    """A ``Content-Range``."""

    start: int
    """First byte."""
    stop: int
    """Byte after the last; equal to ``start`` when the range could not be given."""
    size: int | None
    """Bytes of the whole file; None where the server does not know."""


def read(text: str) -> Span | None:
    """Read a ``Content-Range``; None for what is none, or contradicts itself.

    >>> read("bytes 5-9/10"), read("bytes */10"), read("bytes 9-5/10")
    (Span(start=5, stop=10, size=10), Span(start=0, stop=0, size=10), None)
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    size = None if found[3] == "*" else int(found[3])
    if found[1] is None:
        return None if size is None else Span(0, 0, size)
    start, stop = int(found[1]), int(found[2]) + 1
    return Span(start, stop, size) if start < stop and (size is None or stop <= size) else None


def source_of(url: str, headers: Mapping[str, str], size: int | None) -> Source:
    """Take from an answer what a later one can be compared with.

    Args:
        url: address that answered.
        headers: of the answer, found by any case.
        size: bytes of the whole file, where it is known.
    """
    etag = headers.get("ETag", "").strip()
    plain = urlsplit(url)._replace(query="", fragment="").geturl()
    strong = etag if len(etag) > len('""') and etag.startswith('"') else None
    return Source(url=plain, etag=strong, modified=headers.get("Last-Modified"), size=size)


def asking(kept: int, source: Source) -> list[tuple[str, str]]:
    """List the headers that ask for the rest of a file, but for all of it if it has changed.

    >>> asking(5, Source(url="https://s3.example/a.bin", etag='"1f0a"'))
    [('Range', 'bytes=5-'), ('If-Range', '"1f0a"')]
    """
    condition = [("If-Range", source.validator)] if source.validator else []
    return [("Range", f"bytes={kept}-"), *condition]


def is_page(headers: Mapping[str, str]) -> bool:
    """Tell whether an answer calls itself a page or a message.

    >>> is_page({"Content-Type": "text/html; charset=utf-8"}), is_page({"Content-Type": "image/png"}), is_page({})
    (True, False, False)
    """
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() in {"text/html", "application/json"}


def judge(status: int, headers: Mapping[str, str], kept: int, source: Source) -> Verdict:
    """Tell what an answer means for a part.

    Args:
        status: of the answer.
        headers: of the answer, found by any case.
        kept: bytes of the part, which were asked past.
        source: what the server that it came from said of the file.
    """
    if status not in {HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
        return Verdict.OTHER
    span = read(headers.get("Content-Range", ""))
    if span is None or (source.size is not None and span.size not in {None, source.size}):
        return Verdict.CHANGED
    size = span.size if span.size is not None else source.size
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Verdict.WHOLE if size == kept else Verdict.CHANGED
    told = source_of("", headers, size)
    same_tag = not (source.etag and told.etag) or source.etag == told.etag
    same_date = bool(source.etag) or not (source.modified and told.modified) or source.modified == told.modified
    encoded = headers.get("Content-Encoding", "identity").lower() != "identity"
    fits = span.start == kept and size is not None and span.stop == size
    return Verdict.GOES_ON if fits and same_tag and same_date and not encoded else Verdict.CHANGED
