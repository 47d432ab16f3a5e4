"""How a body ended: what aiohttp takes for whole, held against what the answer said of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http import HttpProcessingError
from scrapy.exceptions import ResponseDataLossError

from civitscrape.downloads import ranges

if TYPE_CHECKING:
    from scrapy.core.downloader.handlers._aiohttp import _ClientResponse


class UntrueLengthError(ResponseDataLossError):
    """Another number of bytes came than the answer said: nothing that it says of the file can be believed."""


class FlawedFileError(ResponseDataLossError):
    """As many bytes came as the answer said, and they are not the whole file: another transfer may bring it."""


def require_whole(response: _ClientResponse, url: str, size: int) -> None:
    """Make sure that a body, which aiohttp took for whole, is what was announced.

    aiohttp cuts a body at Content-Length and then chokes on what follows; and where neither a length nor chunks tell
    where the body ends, it takes a broken connection for the end.

    Args:
        response: whose body it was.
        url: address that answered.
        size: bytes of the file that are here, with those of earlier transfers.

    Raises:
        UntrueLengthError: more or less came than was announced.
        ResponseDataLossError: the connection broke.
    """
    protocol = response._protocol  # noqa: SLF001  the response lets go of its connection with the last byte
    error = protocol.exception() if protocol is not None else None
    if isinstance(error, HttpProcessingError):
        raise UntrueLengthError(f"{url}: more came than was announced after {size} bytes")
    partial = response.status == HTTPStatus.PARTIAL_CONTENT
    span = ranges.read(response.headers.get("Content-Range", "")) if partial else None
    if span is not None and size != span.stop:
        raise UntrueLengthError(f"{url}: the answer was to end at byte {span.stop}, but ended after {size} bytes")
    boundless = response.content_length is None and not response.headers.get("Transfer-Encoding")
    if boundless and isinstance(error, aiohttp.ClientOSError):
        raise ResponseDataLossError(f"{url}: the connection broke ({error}) after {size} bytes")
