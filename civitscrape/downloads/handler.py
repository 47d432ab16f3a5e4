"""The download handler for http and https: what a request wants in a file goes there while it comes in.

``DOWNLOAD_HANDLERS = {"http": DiskDownloadHandler, "https": DiskDownloadHandler}``. A request whose meta has
``download_to``, the path of a ``.part`` file that the caller chose, is answered by a
:class:`~civitscrape.downloads.response.FileResponse`; all others are held in memory, as Scrapy does.

The base class is a private one of Scrapy, pinned below 2.20 in pyproject.toml: look here before that pin moves.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast

import aiohttp
from aiohttp.http import HttpProcessingError
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers
from scrapy.utils._download_handlers import make_response

from civitscrape.downloads.browser import Browser
from civitscrape.downloads.part import PartFile
from civitscrape.downloads.response import FileResponse
from civitscrape.downloads.trust import UntrustedCertificateError, context_of
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# Bytes collected before a thread writes them: most pictures fit, so they cost one hop to a thread; and 16 transfers at
# once keep 16 MiB.
WRITE_SIZE = 1024 * 1024

# Bytes kept of an answer that is not the file: enough for an error page to be recognised.
ERROR_SIZE = 64 * 1024

# What aiohttp decodes while the body comes in; anything else would be stored as it came.
DECODED = frozenset({"identity", "gzip", "deflate", "br", "zstd"})

# Threads that write: a disk that is slow for one file holds up no other, and more were not faster.
WRITERS = 4


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
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="civitscrape-writer")
        self._browser = Browser(crawler)

    async def download_request(self, request: Request) -> Response:
        """Download a request; in a browser where its meta has ``playwright``."""
        if request.meta.get("playwright"):
            return await self._browser.download(request)
        return await super().download_request(request)

    async def close(self) -> None:
        """Close the connections and the browser, and wait for the last writes."""
        await self._browser.close()
        await super().close()
        await asyncio.to_thread(self._writers.shutdown)

    @asynccontextmanager
    async def _make_request(self, request: Request, seconds: float) -> AsyncIterator[_ClientResponse]:
        to_file = "download_to" in request.meta
        # Files are asked for as they are: media are compressed already, and Content-Length speaks of the file then.
        left_out = {"Proxy-Authorization", "Accept-Encoding"} if to_file else {"Proxy-Authorization"}
        headers = [pair for pair in request.headers.to_tuple_list() if pair[0] not in left_out]
        if to_file:
            headers.append(("Accept-Encoding", "identity"))
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=headers,
                timeout=self._file_timeout if to_file else aiohttp.ClientTimeout(total=seconds),
                ssl=self._ssl_context,
                allow_redirects=False,
                proxy=self._extract_proxy_url_with_creds(request),
                auto_decompress=to_file,
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

    async def _read_response(self, response: _ClientResponse, request: Request) -> Response:
        path: str | None = request.meta.get("download_to")
        if path is None:
            return await super()._read_response(response, request)
        if response.status == HTTPStatus.OK:
            return await self._read_file(response, request, PartFile(path))
        return await self._read_error(response, request)

    async def _read_error(self, response: _ClientResponse, request: Request) -> Response:
        """Read the beginning of an answer that is not the file; if its body breaks off, the status is still news."""
        body = bytearray()
        flags = []
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
        try:
            await self._receive(response, request, part)
        except (Exception, asyncio.CancelledError):
            await self._in_thread(part, part.discard)
            raise
        return FileResponse(
            request.url,
            status=response.status,
            headers=_decoded_headers(response),
            path=part.path,
            size=part.size,
            sha256=part.sha256,
            head=part.head,
        )

    async def _receive(self, response: _ClientResponse, request: Request, part: PartFile) -> None:
        """Bring a body into its file; a small one in a single hop to a thread."""
        limit: int = request.meta.get("download_maxsize", 0)
        announced = response.content_length
        if limit and announced and announced > limit:
            self._cancel_maxsize(announced, limit, request, expected=True)
        encoding = (response.headers.get("Content-Encoding") or "identity").lower()
        if encoding not in DECODED:
            raise NotSupported(
                f"{request.url}: the file came with Content-Encoding {encoding!r}, which was not asked for"
            )
        received = waiting = 0
        chunks: list[bytes] = []
        try:
            async for chunk in response.content.iter_any():
                chunks.append(chunk)
                waiting += len(chunk)
                received += len(chunk)
                if limit and received > limit:
                    self._cancel_maxsize(received, limit, request, expected=False)
                if waiting >= WRITE_SIZE:
                    # Waiting for the thread is the back-pressure: aiohttp stops reading at twice its own buffer.
                    await self._in_thread(part, part.write, chunks)
                    chunks, waiting = [], 0
        except aiohttp.ClientPayloadError as error:
            raise ResponseDataLossError(f"{request.url}: the body broke off after {received} bytes: {error}") from error
        if flaw := _flaw(response):
            raise ResponseDataLossError(f"{request.url}: {flaw} after {received} bytes")
        await self._in_thread(part, part.finish, chunks)

    async def _in_thread(self, part: PartFile, call: Callable[..., None], *args: object) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._writers, call, *args)
        except OSError as error:
            raise ArchiveError(f"{part.path} cannot be written: {error}; see that its disk has room") from error


def _decoded_headers(response: _ClientResponse) -> list[tuple[str, str]]:
    """List the headers of an answer whose body aiohttp has decoded, so that nobody decodes it again."""
    return [(name, value) for name, value in response.headers.items() if name.lower() != "content-encoding"]


def _flaw(response: _ClientResponse) -> str | None:
    """Say what is wrong with the end of a body that aiohttp took for whole; None for nothing.

    aiohttp cuts a body at Content-Length and then chokes on what follows; and where neither a length nor chunks tell
    where the body ends, it takes a broken connection for the end.
    """
    protocol = response._protocol  # noqa: SLF001  the response lets go of its connection with the last byte
    error = protocol.exception() if protocol is not None else None
    if isinstance(error, HttpProcessingError):
        return "more came than was announced"
    if (
        isinstance(error, aiohttp.ClientOSError)
        and response.content_length is None
        and not response.headers.get("Transfer-Encoding")
    ):
        return f"the connection broke ({error})"
    return None


def _reason(error: Exception) -> str:
    """Say in OpenSSL's words, without its line numbers, why a certificate was refused."""
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
