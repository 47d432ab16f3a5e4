"""The sandbox as a server: one port, three roles, in a task, a thread or a process of its own."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from civitscrape.items import MediaType
from civitscrape.sandbox import accounts, control, delivery, media, storage
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT, Account
from civitscrape.sandbox.ask import GREEN_HOSTS, MEDIA_HOSTS, RED_HOSTS, STORAGE_HOST, Answer, Ask, Colour, Role
from civitscrape.sandbox.faults import Fault, Faults, Rule, asked_cursor, damaged, replacement
from civitscrape.sandbox.log import Line, Log
from civitscrape.sandbox.site import FEEDS, Quirks, Site
from civitscrape.sandbox.world import World, default_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from civitscrape.sandbox.edge import Edge

MATURE_HOST = "localhost"
"""Name that stands for the mature host: one port serves both colours, told apart by the name it is called by."""

LONGEST_HEAD = 16_384
"""Bytes of request line and headers beyond which the site answers 431 (contract trpc-and-pages §1.1)."""
LONGEST_LINE = 65_536


class Sandbox:
    """A small Civitai on a loopback port.

    ``http://127.0.0.1:PORT`` is the green host, ``http://localhost:PORT`` the red one, and paths below the CDN's bucket
    are media on either. Requests that name one of the site's own hosts (they come through ``proxy.Proxy``) are answered
    as that host would.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        edge: Edge | None = None,
        faults: Iterable[Rule | dict[str, Any]] = (),
        latency: dict[str, float] | None = None,
        quirks: Quirks | None = None,
        known: tuple[Account, ...] = (SANDBOX_ACCOUNT,),
    ) -> None:
        self.site = Site(world or default_world(), accounts=known, quirks=quirks)
        self.log = Log()
        self.edge = edge
        self.faults = Faults(latency=latency)
        for rule in faults:
            self.faults.add(rule)
        self.host = host
        self.port = port
        """Port asked for until the server runs, then the true one."""
        self._files = media.Files()
        self._runner: web.ServerRunner | None = None

    @property
    def world(self) -> World:
        """What the sandbox holds; put another in its place at any time."""
        return self.site.world

    @world.setter
    def world(self, world: World) -> None:
        self.site.world = world

    @property
    def url(self) -> str:
        """Address of the green host."""
        return f"http://{self.host}:{self.port}"

    @property
    def mature_url(self) -> str:
        """Address of the red host."""
        return f"http://{MATURE_HOST}:{self.port}"

    @property
    def media_url(self) -> str:
        """What addresses of media start with."""
        return f"{self.url}/{media.BUCKET}"

    def settings(self) -> dict[str, str]:
        """Return the project's settings that point a crawl here."""
        return {
            "CIVITAI_URL": self.url,
            "CIVITAI_MATURE_URL": self.mature_url,
            "CIVITAI_MEDIA_URL": self.media_url,
        }

    def addresses(self) -> dict[str, Any]:
        """Tell where everything is, as JSON would."""
        return {
            "url": self.url,
            "mature_url": self.mature_url,
            "media_url": self.media_url,
            "port": self.port,
            "settings": self.settings(),
            "key": self.site.accounts[0].key if self.site.accounts else None,
            "creators": [one.username for one in self.world.creators.values()],
        }

    async def __aenter__(self) -> Self:
        server = web.Server(self._handle, access_log=None, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, backlog=512)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        self.site.hosts |= {f"{name}:{self.port}" for name in (self.host, MATURE_HOST)}
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Serve from a thread with a loop of its own, for callers that block.

        Raises:
            OSError: the port cannot be had.
        """
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

        async def serve() -> None:
            async with self:
                stop = asyncio.Event()
                ready.set_result((asyncio.get_running_loop(), stop))
                await stop.wait()

        with ThreadPoolExecutor(1, "sandbox") as executor:
            job = executor.submit(asyncio.run, serve())
            pending: list[Future[Any]] = [ready, job]
            wait(pending, return_when=FIRST_COMPLETED)
            if not ready.done():
                job.result()
            loop, stop = ready.result()
            try:
                yield self
            finally:
                loop.call_soon_threadsafe(stop.set)
                job.result()

    def warm(self) -> int:
        """Make every original beforehand, as many as there is room for; return how many bytes that were."""
        made = 0
        for record in self.world.records.values():
            wish = media.Wish(record.key, None, webp=False, still=False)
            if made < media.ROOM and not record.deleted and self._files.kept(record, wish) is None:
                file = media.make(record, wish)
                made += file.weight
                self._files.keep(record, wish, file)
        return made

    def _role(self, host: str, url: str) -> Role:
        if url.startswith(control.PREFIX):
            return Role.CONTROL
        if host in MEDIA_HOSTS or url.startswith((f"/{media.BUCKET}/", media.CACHE_PREFIX)):
            return Role.MEDIA
        if host == STORAGE_HOST or url.startswith(storage.PREFIX):
            return Role.STORAGE
        return Role.API if url.startswith("/api/") else Role.PAGE

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        url, headers, host = request.raw_path, request.headers, request.host
        role = self._role(host, url)
        if role is Role.CONTROL:
            body = await request.read()
            # Telling the truth makes every file: not on the loop.
            answer = await asyncio.to_thread(control.answer, self, request.method, request.path, request.query, body)
            return await delivery.send(request, answer)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        line = Line(
            at=time.time(),
            role=role,
            method=request.method,
            url=url,
            host=host,
            port=peer[1] if peer else 0,
            authorized="Authorization" in headers,
            cookies="Cookie" in headers,
            user_agent=headers.get("User-Agent", ""),
            range=headers.get("Range", ""),
        )
        self.log.open(line)
        status = 0
        try:
            response = await self._respond(request, role, url, host)
            status = response.status if response.prepared else 0
        except ConnectionError:
            # The caller hung up: nobody is left to tell.
            return web.StreamResponse()
        finally:
            self.log.close(line, status, request.get(delivery.SENT, 0))
        return response

    async def _respond(self, request: web.BaseRequest, role: Role, url: str, host: str) -> web.StreamResponse:
        rule = self.faults.match(role, url, behind_edge=False) if self.faults.rules else None
        pause = self.faults.latency.get(role, 0.0) / 1000 if self.faults.latency else 0.0
        if rule is not None and rule.fault is Fault.DELAY:
            pause += rule.seconds
        if rule is not None and rule.fault is Fault.WORLD:
            self.world = self.world.changed(rule.value)
        if len(url) + sum(len(name) + len(text) + 4 for name, text in request.headers.items()) > LONGEST_HEAD:
            return await delivery.send(request, Answer(431))
        feed = role is Role.API and url.startswith(FEEDS)
        self.site.busy_feeds += feed
        try:
            if pause:
                await asyncio.sleep(pause)
            if rule is not None and rule.fault is Fault.RESET:
                return delivery.reset(request)
            answer = replacement(rule) if rule else None
            if answer is None:
                answer = await self._found(request, role, url, host)
                if rule is not None:
                    answer = damaged(answer, rule, asked_cursor(request.query))
            return await delivery.send(request, answer, rule)
        finally:
            self.site.busy_feeds -= feed

    async def _found(self, request: web.BaseRequest, role: Role, url: str, host: str) -> Answer:
        if role is Role.MEDIA:
            return await self._media(request, url)
        if role is Role.STORAGE:
            # Making and hashing a file takes milliseconds: not on the loop.
            return await asyncio.to_thread(storage.answer, self.world, request.path, request.query, request.headers)
        return await self._site(request, role, url, host)

    async def _media(self, request: web.BaseRequest, url: str) -> Answer:
        found = media.find(self.site, url.partition("?")[0])
        if found is None:
            return media.missing()
        record, wish = found
        if self.site.quirks.still_videos and record.type is MediaType.VIDEO and wish.width is None:
            wish = wish._replace(still=True)
        if self.site.quirks.redirect_media and not url.startswith(media.CACHE_PREFIX):
            return media.redirect(wish, real=request.host in MEDIA_HOSTS)
        file = self._files.kept(record, wish)
        if file is None:
            # Drawing takes milliseconds: not on the loop.
            file = await asyncio.get_running_loop().run_in_executor(None, media.make, record, wish)
            self._files.keep(record, wish, file)
        return media.answer(file, request.headers)

    async def _site(self, request: web.BaseRequest, role: Role, url: str, host: str) -> Answer:
        try:
            body = await request.read() if request.can_read_body else b""
        except web.HTTPRequestEntityTooLarge:
            # Its limit is one mebibyte, as that of the site (contract rest.md §12c).
            return Answer(413, b"Body exceeded 1mb limit", {"Content-Type": "text/plain; charset=utf-8"})
        ask = self._ask(request, host, body)
        address = f"{ask.origin}{url}"
        edge = self.edge if self.edge and self.edge.serves(request.method, request.headers) else None
        kept = edge.get(address) if edge else None
        if kept is not None:
            return kept
        rule = self.faults.match(role, url, behind_edge=True) if self.faults.rules else None
        answer = replacement(rule) if rule else None
        if answer is None:
            answer = self.site.answer(ask)
            if rule is not None:
                answer = damaged(answer, rule, asked_cursor(request.query))
        return edge.put(address, role, answer) if edge else answer

    def _ask(self, request: web.BaseRequest, host: str, body: bytes) -> Ask:
        real = host in GREEN_HOSTS or host in RED_HOSTS
        red = host in RED_HOSTS or host.partition(":")[0] == MATURE_HOST
        return Ask(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            origin=f"https://{host}" if real else f"http://{host}",
            home="https://civitai.com" if real else self.url,
            colour=Colour.RED if red else Colour.GREEN,
            login=accounts.login(self.site.accounts, request.headers, request.query),
            image_location=f"https://image.civitai.com/{media.BUCKET}" if real else self.media_url,
            body=body,
        )
