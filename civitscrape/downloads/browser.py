"""A browser behind the download handler, for pages that make their content by script; an extra, loaded when needed.

It is scrapy-playwright's handler, of which ``download_request`` and the attributes set below are used, and its way of
starting, which is private: look here before the pin in pyproject.toml moves.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, NotSupported
from scrapy.utils.misc import load_object

from civitscrape.exceptions import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
ERROR = "playwright.async_api.Error"

SMALL = "chromium-headless-shell"
"""Debian's build without a window: it takes 180 MB less than its chromium."""

OTHERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = frozenset({"headless_shell", "chrome-headless-shell", "headless_shell.exe", "chrome-headless-shell.exe"})
"""Names of the program that ``playwright install chromium-headless-shell`` brings."""

INSTALL = (
    "install Debian's chromium-headless-shell (apt install chromium-headless-shell), or Playwright's own (playwright "
    "install chromium-headless-shell), or name one in BROWSER_EXECUTABLE"
)

UNWANTED = frozenset({"font", "image", "media"})
"""Kinds of files that no tag needs."""

OPTIONS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # All pages are of one site, and nothing is drawn: each further process would take 40 to 60 MB.
    "--renderer-process-limit=1",
    "--in-process-gpu",
    "--disable-gpu",
    "--disable-extensions",
    # A renderer that keeps less: a third less memory after a few hundred pages, at the same speed.
    "--enable-low-end-device-mode",
)

SMALL_NODE = "--max-semi-space-size=2 --max-old-space-size=128"
"""Options of Playwright's driver, which is Node: without them it lets 70 MB more of litter lie."""

ASKED = "civitscrape/requests_page"
"""Statistic that counts requests for pages."""

NAVIGATION = 30_000
"""Milliseconds that a page may take to begin."""


def require(settings: Mapping[str, Any]) -> str:
    """Find the program of a browser, and make sure that it can be used.

    Raises:
        ArgumentError: the extra is not installed, or there is no browser.
    """
    if find_spec("scrapy_playwright") is None:
        raise ArgumentError("votes=browser needs the extra `browser`: pip install 'civitscrape[browser]'")
    wished = str(settings["BROWSER_EXECUTABLE"])
    if wished:
        found = shutil.which(wished)
        if found is None:
            raise ArgumentError(f"setting BROWSER_EXECUTABLE: {wished!r} is no program; {INSTALL}")
        return found
    found = shutil.which(SMALL) or playwrights() or next(filter(None, map(shutil.which, OTHERS)), None)
    if found is None:
        raise ArgumentError(f"votes=browser needs a browser, and there is none; {INSTALL}")
    return found


def playwrights() -> str | None:
    """Find the newest browser that Playwright installed for this person."""
    folder = {"darwin": "~/Library/Caches", "win32": "~/AppData/Local"}.get(sys.platform, "~/.cache")
    wished = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    root = Path(wished) if wished else Path(folder).expanduser() / "ms-playwright"
    for revision in sorted(root.glob("chromium_headless_shell-*"), reverse=True):
        for path in revision.rglob("*"):
            if path.name in PLAYWRIGHTS and path.is_file():
                return str(path)
    return None


def proxy(site: str) -> dict[str, str] | None:
    """Tell the browser which proxy leads to the site, as the environment says; None for none."""
    server = getproxies().get(urlsplit(site).scheme)
    if not server or proxy_bypass(urlsplit(site).hostname or ""):
        return None
    parts = urlsplit(server if "://" in server else f"http://{server}")
    told = {"server": f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"}
    return told | {name: value for name, value in (("username", parts.username), ("password", parts.password)) if value}


def is_unwanted(kind: str, url: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether a page's request is left out: pictures, fonts, and whatever is not of the site itself.

    >>> is_unwanted("script", "https://civitai.com/_next/a.js", ("civitai.com",))
    False
    >>> is_unwanted("script", "https://tracker.example/t.js", ("civitai.com",))
    True
    """
    host = urlsplit(url).hostname or ""
    own = any(host == one or host.endswith(f".{one}") for one in hosts)
    return kind in UNWANTED or not own


USES = 25
"""How often a page is used: the driver remembers every request of a page until the page is closed."""

PATIENCE = 5
"""Seconds that a failed page may take to close."""

PLUGINS = ("playwright_page", "playwright_include_page", "playwright_context", "playwright_security_details")
"""What is written into the meta of a request on its way, and is of no use to its repetition."""


def quieten() -> None:
    """Leave out of the log whole tracebacks of pages that died: their requests fail too, which is counted and said."""
    logging.getLogger("scrapy-playwright").setLevel(logging.ERROR)
    logging.getLogger("playwright").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Tell other records from what the driver says of a failure that it raises, too, in the next call."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, load_object(ERROR))


class Browser:
    """One browser for a crawl, started with its first page and again after a crash; its pages are bounded."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._starting = asyncio.Lock()
        self._handler: Any = None
        self._flaw: str | None = None
        self._idle: list[Any] = []
        self._uses: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    async def download(self, request: Request) -> Response:
        """Open a page and do what its ``playwright_page_methods`` say.

        Raises:
            DownloadFailedError: the page or the browser crashed, or the site could not be reached.
            DownloadTimeoutError: it took longer than ``download_timeout``.
            NotSupported: the browser does not start; why is in the meta's ``browser_flaw``, too.
        """
        handler = await self._started()
        if handler is None:
            request.meta["browser_flaw"] = self._flaw
            self._crawler.stats.inc_value(ASKED, -1)  # counted on its way, and nobody asked the site for it
            raise NotSupported(self._flaw)
        seconds: float = request.meta.get("download_timeout", 60)
        # A page that is there already costs half as much as a new one.
        request.meta["playwright_page"] = self._idle.pop() if self._idle else None
        request.meta["playwright_include_page"] = True
        try:
            async with asyncio.timeout(seconds):
                response: Response = await handler.download_request(request)
        except TimeoutError as error:
            await _close(request.meta["playwright_page"])
            raise DownloadTimeoutError(f"{request.url}: the page took longer than {seconds:g} seconds") from error
        except load_object(ERROR) as error:
            await _close(request.meta["playwright_page"])
            raise DownloadFailedError(f"the browser says: {str(error).splitlines()[0]}") from error
        else:
            await self._keep(request.meta["playwright_page"])
        finally:
            for name in PLUGINS:
                request.meta.pop(name, None)
        return response

    async def _keep(self, page: Any) -> None:
        """Put a page back for the next request, unless it has served its time."""
        self._uses[page] = self._uses.get(page, 0) + 1
        if self._uses[page] < USES:
            self._idle.append(page)
        else:
            del self._uses[page]
            await _close(page)
            gc.collect()  # a crawl collects seldom, and a page's requests hold each other

    async def close(self) -> None:
        """Close the browser, if there is one."""
        if self._handler is not None:
            await self._handler.close()

    async def _started(self) -> Any:
        """Start the browser, once; None where it does not start."""
        async with self._starting:
            if self._handler is None and self._flaw is None:
                await self._start()
        return self._handler

    async def _start(self) -> None:
        settings = self._crawler.settings
        quieten()
        try:
            program = require(settings)
            handler = load_object(HANDLER)(self._crawler)
            self._configure(handler, program)
            with _variable("NODE_OPTIONS", SMALL_NODE):
                await handler._launch()  # noqa: SLF001 (its own start is when the engine starts, which is over)
            await handler._maybe_launch_browser()  # noqa: SLF001 (so that a browser that cannot start is said once)
        except ArgumentError as error:
            self._flaw = str(error)
        except load_object(ERROR) as error:
            self._flaw = f"the browser {program} does not start: {str(error).splitlines()[0]}"
        else:
            self._handler = handler

    def _configure(self, handler: Any, program: str) -> None:
        """Set what scrapy-playwright would read from settings of its own."""
        settings = self._crawler.settings
        sites = (settings["CIVITAI_URL"], settings["CIVITAI_MATURE_URL"])
        hosts = tuple(urlsplit(site).hostname or "" for site in sites)
        handler.config.launch_options = {
            "executable_path": program,
            "args": list(OPTIONS),
            "proxy": proxy(sites[0]),
            # A person's Ctrl-C ends the crawl, which then closes the browser.
            **dict.fromkeys(("handle_sigint", "handle_sigterm", "handle_sighup"), False),
        }
        handler.config.max_pages_per_context = settings.getint("BROWSER_PAGES")
        handler.config.navigation_timeout_ms = NAVIGATION
        handler.process_request_headers = _headers
        handler.abort_request = lambda asked: is_unwanted(asked.resource_type, asked.url, hosts)


def _headers(*, playwright_request: Any, **_: Any) -> dict[str, str]:
    """Let the browser's own headers stand; as they are known here, without asking the browser for them."""
    return dict(playwright_request.headers)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Add to a variable of the environment for a program that is started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = f"{before or ''} {value}".strip()
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


async def _close(page: Any) -> None:
    """Close a page that failed; one whose browser has crashed is closed already."""
    if page is not None and not page.is_closed():
        with suppress(TimeoutError, load_object(ERROR)):
            await asyncio.wait_for(page.close(), PATIENCE)
