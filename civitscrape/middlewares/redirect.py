"""A redirect is followed only to a configured address or a storage host (DESIGN section 7, address rule)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from civitscrape.civitai import answers
from civitscrape.civitai.hosts import Hosts
from civitscrape.civitai.roles import Role, role_of, shown, stamp

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings


def hosts_of(settings: BaseSettings) -> Hosts:
    """Read which addresses are ours."""
    return Hosts(
        site=tuple(settings[name] for name in ("CIVITAI_URL", "CIVITAI_MATURE_URL")),
        media=settings["CIVITAI_MEDIA_URL"],
        storage=tuple(host.lower() for host in settings.getlist("CIVITAI_STORAGE_HOSTS")),
    )


class Redirect(RedirectMiddleware):
    """Check where a redirect leads before following it."""

    hosts: Hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read which addresses are ours."""
        middleware = super().from_crawler(crawler)
        middleware.hosts = hosts_of(crawler.settings)
        return middleware

    def _engine_started(self) -> None:
        """Look for no referer middleware: there is none, on purpose, and the base class would warn of it."""
        self._referer_spider_middleware = None

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Follow, let pass what is no redirect, or give the reason why it is not followed in place of an answer."""
        if not 300 <= response.status < 400:  # noqa: PLR2004 (HTTP's redirects)
            return response
        try:
            following = super().process_response(request, response)
        except (IgnoreRequest, ValueError) as error:  # too many of them, or a Location that is no address
            return answers.no_answer(request, f"{shown(request)}: its redirect cannot be followed: {error}")
        if not isinstance(following, Request):
            return following
        role = role_of(request)
        if role is Role.API and "download_to" in request.meta:
            if answers.turned_away(response) is not None:
                return response  # a page of the site is no file: it says what a browser should do to get it
            if not (self.hosts.is_site(following.url) and answers.DOWNLOAD in following.url):
                role = Role.STORAGE  # which must not see the key
        if role is None or not self.hosts.allows(role, following.url):
            host = urlsplit(following.url).netloc
            reason = f"{shown(request)} leads to {host}, which is not an address of the site or its storage"
            return answers.no_answer(request, reason)
        # Files keep the slot that they were sent in, with its many at once; pages and the API go by their new host.
        slot = stamp(role, following.url) if role_of(request) in {Role.API, Role.PAGE} else {}
        return following.replace(meta={**following.meta, **slot}, dont_filter=True)
