"""The download handler for http and https: what a request wants in a file goes there while it comes in.

``DOWNLOAD_HANDLERS = {"http": DiskDownloadHandler, "https": DiskDownloadHandler}``. A request whose meta has
``download_to``, the path of a ``.part`` file that the caller chose, is answered by a
:class:`~civitscrape.downloads.response.FileResponse`; all others are held in memory, as Scrapy does.

A download that breaks off keeps its part, and whoever names the same part again goes on with it, in this run or in a
later one; ``download_kept`` in the meta then tells how many bytes are here. That takes a server that gave an ``ETag``
or a ``Last-Modified``, or ``download_verified`` in the meta: the caller will tell by a hash whether the file is whole.
A page or JSON with status 200 where the rest was asked for is handed on as what it is, and the part keeps waiting.
``download_digests`` names checksums to compute beside SHA-256. ``download_judge`` is called with what came whole, as a
file open for reading, and its first bytes, and may say what is wrong with it: then it broke off, too.

The base class is a private one of Scrapy, pinned below 2.20 in pyproject.toml: look here before that pin moves.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast
from weakref import WeakKeyDictionary

import aiohttp
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers
from scrapy.utils._download_handlers import make_response
from yarl import URL

from civitscrape.downloads import ranges, space
from civitscrape.downloads.browser import Browser
from civitscrape.downloads.disk import Disk
from civitscrape.downloads.ending import FlawedFileError, UntrueLengthError, require_whole
from civitscrape.downloads.part import BIG, PartFile
from civitscrape.downloads.ranges import Source, Verdict
from civitscrape.downloads.response import INSTEAD, RESUMED, FileResponse
from civitscrape.downloads.suspended import Suspended
from civitscrape.downloads.trust import UntrustedCertificateError, context_of
from civitscrape.downloads.writing import Writing
from civitscrape.exceptions import OccupiedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# Bytes collected before a thread writes them: most pictures fit, so they cost one hop to a thread; and 16 transfers at
# once keep 32 MiB, or 80 where the disk is slower than the net. Half of it makes a big file a tenth slower.
WRITE_SIZE = 2 * 1024 * 1024

# Bytes of a file that aiohttp holds before it stops reading, and once more as much: eight times what is its habit, so
# that a big file does not stop and go at every read.
READ_SIZE = 512 * 1024

# Bytes kept of an answer that is not the file: enough for an error page to be recognised.
ERROR_SIZE = 64 * 1024

# Turns of the event loop after which what came behind the last byte has been seen: one to read it, one to tell.
TURNS = 2

# What aiohttp decodes while the body comes in; anything else would be stored as it came.
DECODED = frozenset({"identity", "gzip", "deflate", "br", "zstd"})

# Bytes from which what has come of a file is kept when the rest breaks off; less is sooner fetched again.
KEPT_SIZE = 64 * 1024

# What a part begins with that may be a page or JSON itself.
TEXT = (b"<", b"{", b"[", b"\xef\xbb\xbf")


class DiskDownloadHandler(AiohttpDownloadHandler):
    """Download into files what has ``download_to`` in its meta, everything else into memory.

    For files ``download_maxsize`` is obeyed where the meta has it; the setting DOWNLOAD_MAXSIZE guards memory and is
    left to the answers in memory. So is DOWNLOAD_TIMEOUT, which limits a whole transfer, as no number fits a picture
    and a checkpoint of 6 GB. The signals ``headers_received`` and ``bytes_received`` are not sent for files.
    """

    experimental: ClassVar[bool] = False

    connect_timeout: ClassVar[float] = 30.0
    """Seconds for the connection of a file, TLS included; aiohttp's own default."""
    idle_timeout: ClassVar[float] = 60.0
    """Seconds without a byte after which a file is given up: an edge that first fetches
    a large original from its storage is silent for a while, but not for a minute."""

    def __init__(self, crawler: Crawler) -> None:
        # Past AiohttpDownloadHandler, whose __init__ makes a pool that is limited by CONCURRENT_REQUESTS: a second
        # throttle behind the slots that nobody sees. Here the slots alone limit.
        super(AiohttpDownloadHandler, self).__init__(crawler)
        self._ssl_context = context_of(crawler)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=self._bind_address, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_ClientResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        self._file_timeout = aiohttp.ClientTimeout(sock_connect=self.connect_timeout, sock_read=self.idle_timeout)
        self._suspended = Suspended()
        self._resuming: WeakKeyDictionary[Request, PartFile] = WeakKeyDictionary()
        self._promises = space.Promises()
        self._disk = Disk()
        self._browser = Browser(crawler)

    async def close(self) -> None:
        """Close the connections and the browser, and wait for the last writes."""
        await self._browser.close()
        await super().close()
        await self._disk.close()

    @asynccontextmanager
    async def _make_request(self, request: Request, seconds: float) -> AsyncIterator[_ClientResponse]:
        to_file = "download_to" in request.meta
        # Files are asked for as they are: media are compressed already, and Content-Length speaks of the file then.
        left_out = {"Proxy-Authorization", "Accept-Encoding"} if to_file else {"Proxy-Authorization"}
        headers = [pair for pair in request.headers.to_tuple_list() if pair[0] not in left_out]
        if to_file:
            headers.append(("Accept-Encoding", "identity"))
            part = self._resuming.get(request)
            if part is not None and part.source is not None:
                headers += ranges.asking(part.size, part.source)
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True) if "verbatim_url" in request.meta else request.url,
                data=request.body or None,
                headers=headers,
                timeout=self._file_timeout if to_file else aiohttp.ClientTimeout(total=seconds),
                ssl=self._ssl_context,
                allow_redirects=False,
                proxy=self._extract_proxy_url_with_creds(request),
                auto_decompress=to_file,
                read_bufsize=READ_SIZE if to_file else None,
            ) as response:
                yield cast("_ClientResponse", response)
        except TimeoutError as error:
            reason = str(error) or f"took longer than {seconds:g} seconds"
            raise DownloadTimeoutError(f"{request.url}: {reason}") from error
        except (aiohttp.InvalidUrlClientError, aiohttp.NonHttpUrlClientError) as error:
            raise UnsupportedURLSchemeError(str(error)) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise CannotResolveHostError(str(error)) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise UntrustedCertificateError(
                f"certificate of {error.host} is not trusted: {_reason(error.certificate_error)}; "
                "set SSL_CERT_FILE to add a CA"
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise DownloadConnectionRefusedError(str(error)) from error
        except aiohttp.ClientError as error:
            raise DownloadFailedError(str(error)) from error

    async def download_request(self, request: Request) -> Response:
        """Download, in a browser where ``playwright`` asks for it; a file that is here in part from there on."""
        if request.meta.get("playwright"):
            return await self._browser.download(request)
        path: str | None = request.meta.get("download_to")
        if path is None:
            return await super().download_request(request)
        await self._suspended.look(path)
        if self._suspended.holds(path):
            part = await self._suspended.take(path, request.meta.get("download_digests", ()))
            if part is not None:
                self._resuming[request] = part
        try:
            return await super().download_request(request)
        finally:
            left = self._resuming.pop(request, None)
            if left is not None:  # the answer was not about it: a redirect, a refusal, or none at all
                self._suspended.keep(left)

    async def _read_response(self, response: _ClientResponse, request: Request) -> Response:
        path: str | None = request.meta.get("download_to")
        if path is None:
            return await super()._read_response(response, request)
        part = self._resuming.get(request)
        if part is not None and part.source is not None:
            verdict = ranges.judge(response.status, response.headers, part.size, part.source)
            if verdict is Verdict.GOES_ON:
                return await self._go_on(response, request, self._resuming.pop(request))
            if verdict is Verdict.WHOLE:
                return await self._take_whole(response, request, self._resuming.pop(request))
            if verdict is Verdict.CHANGED:
                await self._disk.run(part, self._resuming.pop(request).abandon)
                raise ResponseDataLossError(
                    f"{request.url}: the file has changed since its first part; it starts again"
                )
        if response.status == HTTPStatus.OK:
            if part is not None:
                if ranges.is_page(response.headers) and not part.head.lstrip().startswith(TEXT):
                    return await self._read_error(response, request, INSTEAD)
                await self._disk.run(part, self._resuming.pop(request).abandon)
            return await self._read_file(response, request, PartFile(path, request.meta.get("download_digests", ())))
        return await self._read_error(response, request)

    async def _go_on(self, response: _ClientResponse, request: Request, part: PartFile) -> FileResponse:
        await self._reopen(request, part)
        return await self._read_file(response, request, part)

    async def _take_whole(self, response: _ClientResponse, request: Request, part: PartFile) -> FileResponse:
        await self._reopen(request, part)
        flaw = await self._disk.finish(part, (), request.meta.get("download_judge"))
        if flaw is not None:
            await self._disk.run(part, part.discard)
            raise FlawedFileError(f"{request.url}: {flaw}")
        return self._file_response(response, request, part)

    async def _reopen(self, request: Request, part: PartFile) -> None:
        if not await self._disk.run(part, part.resume):
            raise ResponseDataLossError(f"{request.url}: another process has changed its part; it starts again")
        self.crawler.stats.inc_value("civitscrape/resumed")
        self.crawler.stats.inc_value("civitscrape/bytes_kept", part.size)

    async def _read_error(self, response: _ClientResponse, request: Request, *told: str) -> Response:
        """Read the beginning of an answer that is not the file; if its body breaks off, the status is still news."""
        body = bytearray()
        flags = [*told]
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) >= ERROR_SIZE:
                    break
        except aiohttp.ClientPayloadError:
            flags.append("dataloss")
        args = self._build_base_response_args(response, request, Headers(_decoded_headers(response)))
        return make_response(**args, body=bytes(body[:ERROR_SIZE]), flags=flags)

    async def _read_file(self, response: _ClientResponse, request: Request, part: PartFile) -> FileResponse:
        chunks: list[bytes] = []
        announced = response.content_length
        try:
            if announced is None or announced >= BIG:  # else it is asked when it is needed, which is seldom
                part.source = part.source or _source(response, request)
            if announced is None or announced < BIG:
                await self._receive(response, request, part, chunks)
            else:
                with self._promises.of(part, part.size + announced):
                    await self._disk.run(part, space.require, part.path, announced, self._promises.bytes - announced)
                    await self._receive(response, request, part, chunks)
        except (Exception, asyncio.CancelledError) as error:
            part.source = part.source or _source(response, request)
            await self._break_off(request, part, chunks, error)
            raise
        return self._file_response(response, request, part)

    async def _break_off(self, request: Request, part: PartFile, chunks: list[bytes], error: BaseException) -> None:
        """Keep what has come of a file, when the rest can be had and is worth the trouble; else remove it."""
        useless = isinstance(error, DownloadCancelledError | NotSupported | UntrueLengthError | FlawedFileError)
        if isinstance(error, OccupiedError):
            return  # the part is somebody else's
        if part.source is None or useless or part.size + sum(map(len, chunks)) < KEPT_SIZE:
            await self._disk.run(part, part.discard)
            return
        await self._disk.run(part, part.suspend, chunks)
        self._suspended.keep(part)
        request.meta["download_kept"] = part.size

    def _file_response(self, response: _ClientResponse, request: Request, part: PartFile) -> FileResponse:
        digests = part.digests
        return FileResponse(
            request.url,
            status=HTTPStatus.OK,
            headers=_decoded_headers(response),
            flags=[RESUMED] if part.resumed or response.status != HTTPStatus.OK else [],
            path=part.path,
            size=part.size,
            sha256=digests["sha256"],
            head=part.head,
            digests=digests,
        )

    async def _receive(self, response: _ClientResponse, request: Request, part: PartFile, chunks: list[bytes]) -> None:
        """Bring a body into its file; a small one in a single hop to a thread.

        Args:
            response: whose body it is.
            request: what asked for it.
            part: the file, as far as it is here.
            chunks: what has come and is not written yet; whoever catches an error finds it there.
        """
        limit = _check(response, request, part)
        received, waiting = part.size, 0
        writing: Writing | None = None  # most files come whole before anything is written
        try:
            async for chunk in response.content.iter_any():
                chunks.append(chunk)
                waiting += len(chunk)
                received += len(chunk)
                if limit and received > limit:
                    raise _too_large(received, limit)
                if waiting >= WRITE_SIZE:
                    writing = writing or Writing(part, partial(self._disk.run, part))
                    await writing.hand_over(chunks)
                    waiting = 0
        except aiohttp.ClientPayloadError as error:
            raise ResponseDataLossError(f"{request.url}: the body broke off after {received} bytes: {error}") from error
        finally:
            if writing is not None:
                await writing.settle(chunks)
        require_whole(response, request.url, received)
        if writing is not None:
            writing.check()
        batch = chunks.copy()
        chunks.clear()
        flaw = await self._disk.finish(part, batch, request.meta.get("download_judge"))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        require_whole(response, request.url, received)  # what was not announced may come behind the last byte
        if flaw is not None:
            raise FlawedFileError(f"{request.url}: {flaw}")


def _source(response: _ClientResponse, request: Request) -> Source | None:
    """Say what a file could be gone on with by; None when a part of it would be of no use.

    One whose hash is known needs no validator: what does not fit together shows in the end.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    source = ranges.source_of(request.url, response.headers, response.content_length)
    return source if source.validator or request.meta.get("download_verified") else None


def _check(response: _ClientResponse, request: Request, part: PartFile) -> int:
    """Refuse a body by what is said of it beforehand; return how many bytes the file may have, 0 for any number."""
    limit: int = request.meta.get("download_maxsize", 0)
    expected = response.content_length
    if limit and expected and part.size + expected > limit:
        raise _too_large(part.size + expected, limit)
    encoding = (response.headers.get("Content-Encoding") or "identity").lower()
    if encoding not in DECODED:
        raise NotSupported(f"{request.url}: the file came with Content-Encoding {encoding!r}, which was not asked for")
    return limit


def _too_large(size: int, limit: int) -> DownloadCancelledError:
    """Say it without Scrapy's warning for each file: whoever sets a limit expects it."""
    return DownloadCancelledError(f"the file has {size} bytes, which is larger than download max size {limit}")


def _decoded_headers(response: _ClientResponse) -> list[tuple[bytes, bytes]]:
    """List the headers of an answer whose body aiohttp has decoded, so that nobody decodes it again."""
    return [(name, value) for name, value in response.raw_headers if name.lower() != b"content-encoding"]


def _reason(error: Exception) -> str:
    """Say in OpenSSL's words, without its line numbers, why a certificate was refused."""
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
