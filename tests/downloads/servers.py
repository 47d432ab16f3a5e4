"""Small servers on the loop of the test: one that behaves, one that sends the bytes it is given."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Literal

from aiohttp import web

PICTURE = bytes(range(256)) * 800


@dataclass
class Site:
    """A server that counts."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    in_flight: int = 0
    most_in_flight: int = 0


@asynccontextmanager
async def site(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None, *, ssl: SSLContext | None = None
) -> AsyncIterator[Site]:
    """Serve ``answer``, or else a picture, under every path."""
    counted = Site()

    async def handle(request: web.Request) -> web.StreamResponse:
        counted.paths.append(request.path)
        counted.connections.add(request.transport)
        counted.in_flight += 1
        counted.most_in_flight = max(counted.most_in_flight, counted.in_flight)
        try:
            # Long enough for everything that wants to be under way to be so.
            await asyncio.sleep(0.005)
            if answer:
                return await answer(request)
            return web.Response(body=PICTURE, content_type="image/png")
        finally:
            counted.in_flight -= 1

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener, ssl_context=ssl).start()
    counted.url = f"http{'s' if ssl else ''}://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield counted
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire(*pieces: bytes, then: Literal["close", "reset", "hang"] = "close") -> AsyncIterator[str]:
    """Send these bytes in answer to anything, each piece on its own, and end as ``then`` says."""
    over = asyncio.Event()
    tasks: list[asyncio.Future[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            if not writer.is_closing():  # by whoever asked, who may have heard enough
                writer.write(piece)
            await asyncio.sleep(0.02)
        if then == "hang":
            await over.wait()
        if then == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        else:
            writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(talk(reader, writer)))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()
        await asyncio.gather(*tasks)
        await server.wait_closed()


@asynccontextmanager
async def tunnel() -> AsyncIterator[tuple[str, list[str]]]:
    """Run a proxy for CONNECT; give its address and the heads of the requests it got."""
    heads: list[str] = []
    tasks: list[asyncio.Future[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        host, port = head.split()[1].split(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        with suppress(ConnectionError):
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
            await asyncio.gather(writer.wait_closed(), there_writer.wait_closed())

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(connect(reader, writer)))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()
        await asyncio.gather(*tasks)
        await server.wait_closed()
