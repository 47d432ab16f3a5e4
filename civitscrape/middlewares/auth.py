"""The API key goes on requests to the site's own API and pages, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from civitscrape.civitai.roles import Role, role_of, within

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

HEADER = "Authorization"


class Auth:
    """Put the key on as late as possible and take it off again, so that no copy of a request carries it."""

    def __init__(self, key: str, hosts: tuple[str, ...]) -> None:
        self._key = key
        self._hosts = hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read the key and the addresses that may see it."""
        settings = crawler.settings
        return cls(settings["CIVITAI_API_KEY"], (settings["CIVITAI_URL"], settings["CIVITAI_MATURE_URL"]))

    def process_request(self, request: Request) -> None:
        """Set the header where the request's role and address allow it, remove it everywhere else."""
        request.headers.pop(HEADER, None)
        trusted = role_of(request) in {Role.API, Role.PAGE} and any(within(request.url, host) for host in self._hosts)
        if self._key and trusted:
            request.headers[HEADER] = f"Bearer {self._key}"

    def process_response(self, request: Request, response: Response) -> Response:
        """Take the header off before anything copies the request."""
        request.headers.pop(HEADER, None)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 (Scrapy's signature)
        """Take the header off before anything copies the request."""
        request.headers.pop(HEADER, None)
