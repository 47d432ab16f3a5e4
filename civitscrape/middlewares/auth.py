"""The API key or the cookies go on requests to the site's own API and pages, and nowhere else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import signals

from civitscrape.civitai.cookies import Cookies
from civitscrape.civitai.roles import Role, role_of, within

if TYPE_CHECKING:
    from collections.abc import Collection

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

KEY, COOKIE, ORIGIN = "Authorization", "Cookie", "Origin"
PRIVATE = frozenset(name.encode() for name in (KEY, COOKIE, ORIGIN))
"""Headers that are for the site alone, as Scrapy keeps their names."""


class Auth:
    """Put key or cookies on as late as possible and take them off again, so that no copy of a request carries them."""

    def __init__(self, key: str, cookies: Cookies, hosts: tuple[str, ...]) -> None:
        self._key = key
        self._cookies = cookies
        self._hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read who we are, and the addresses that may know it."""
        settings = crawler.settings
        hosts = (settings["CIVITAI_URL"], settings["CIVITAI_MATURE_URL"])
        auth = cls(settings["CIVITAI_API_KEY"], Cookies.read(settings), hosts)
        # By then the log file of the run is open.
        crawler.signals.connect(auth.introduce, signal=signals.spider_opened)
        return auth

    def introduce(self) -> None:
        """Say once what of the cookies is of no use."""
        if not len(self._cookies):
            return
        if self._key:
            logger.info("CIVITAI_API_KEY and CIVITAI_COOKIES are both set: the key is used, since the site heeds one")
        elif not any(self._cookies.has_session(f"{host}/") for host in self._hosts):
            logger.warning("CIVITAI_COOKIES holds no login that is still good; log in again and export the cookies")

    @property
    def secrets(self) -> Collection[str]:
        """What nothing may write down."""
        return self._cookies.secrets | ({self._key} if self._key else set())

    def process_request(self, request: Request) -> None:
        """Set the headers where the request's role and address allow it, remove them everywhere else."""
        self._strip(request)
        role = role_of(request)
        if role not in {Role.API, Role.PAGE} or not any(within(request.url, host) for host in self._hosts):
            return
        if self._key:
            request.headers[KEY] = f"Bearer {self._key}"
            return
        cookies = self._cookies.header(request.url)
        if cookies is None:
            return
        request.headers[COOKIE] = cookies
        if role is Role.API and self._cookies.has_session(request.url):
            # As the person's browser does; the site takes calls from its own pages only (trpc-and-pages §2.1).
            parts = urlsplit(request.url)
            request.headers[ORIGIN] = f"{parts.scheme}://{parts.netloc}"

    def process_response(self, request: Request, response: Response) -> Response:
        """Take the headers off before anything copies the request, and keep a session that was renewed."""
        if COOKIE in request.headers:
            lines = [line.decode("latin-1") for line in response.headers.getlist("Set-Cookie")]
            self._cookies.renew(request.url, lines)
        self._strip(request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 (Scrapy's signature)
        """Take the headers off before anything copies the request."""
        self._strip(request)

    def _strip(self, request: Request) -> None:
        for name in PRIVATE & request.headers.keys():
            del request.headers[name]
