"""Record the cassettes again: ``python -m tests.cassettes [--base-url URL]``; without an address, from the sandbox."""

from __future__ import annotations

import argparse
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import betamax
import requests

from civitscrape.civitai import pages, rest
from civitscrape.civitai.roles import Role, role_of
from civitscrape.items import Level
from civitscrape.sandbox import CreatorSpec, Sandbox, World
from civitscrape.sandbox.accounts import SANDBOX_ACCOUNT
from civitscrape.settings import USER_AGENT
from tests.cassettes import KEY_MARK, RECORDED, SITE, SITE_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request

CREATOR = "lampwright"
NOBODY = "nobody_of_this_name_0"
SMALL = 4
"""Entries of a page: enough to see one, few enough for a small file."""
MOST_PAGES = 25
LASTING = frozenset({"cache-control", "content-encoding", "content-type", "retry-after", "cf-mitigated"})
"""Headers of an answer that are kept; the others change from day to day, or tell of the server."""


def keep_lasting_headers(interaction: Any, _cassette: Any) -> None:
    """Drop what would be different in each recording."""
    headers = interaction.data["response"]["headers"]
    interaction.data["response"]["headers"] = {key: headers[key] for key in headers if key.lower() in LASTING}
    asked = interaction.data["request"]["headers"]
    interaction.data["request"]["headers"] = {key: asked[key] for key in asked if key in {"Accept", "Authorization"}}


class Recorder:
    """Asks a server and writes down what it says."""

    def __init__(self, base: str, username: str, key: str, host: str | None) -> None:
        self.base, self.username, self._key, self._host = base, username, key, host
        with betamax.Betamax.configure() as config:
            config.cassette_library_dir = str(RECORDED)
            config.default_cassette_options["preserve_exact_body_bytes"] = True
            config.define_cassette_placeholder(SITE_MARK, base)
            config.define_cassette_placeholder(KEY_MARK, key)
            config.before_record(callback=keep_lasting_headers)

    def record(self, name: str, request: Request) -> requests.Response:
        """Ask as the crawler would, and keep the answer."""
        (RECORDED / f"{name}.json").unlink(missing_ok=True)
        headers = {"User-Agent": USER_AGENT, "Accept": (request.headers["Accept"] or b"").decode()}
        if self._key and role_of(request) is Role.API:  # a page for a person who is logged in holds their address
            headers["Authorization"] = f"Bearer {self._key}"
        if self._host:
            headers["Host"] = self._host
        session = requests.Session()
        session.trust_env = self._host is None
        with betamax.Betamax(session).use_cassette(name, record="all"):
            return session.get(request.url, headers=headers, timeout=60)

    def images(self, **options: Any) -> Request:
        """Ask for a page of the creator's listing."""
        about = {"username": self.username, "level": Level.PG | Level.PG13, "sort": "Oldest", "limit": SMALL, **options}
        return rest.images(self.base, callback=print, cb_kwargs={}, **about)

    def profile(self, username: str) -> Request:
        """Ask for a profile page."""
        return pages.user(self.base, username, callback=print, cb_kwargs={})


def record_listing(recorder: Recorder) -> None:
    """Record the first page, the last, the newest, an empty one, and a refusal."""
    page = recorder.record("first-page", recorder.images()).json()
    for _ in range(MOST_PAGES):
        cursor = page["metadata"].get("nextCursor")
        if cursor is None:
            break
        page = recorder.record("last-page", recorder.images(cursor=str(cursor))).json()
    else:
        raise SystemExit(f"{recorder.username} has more than {MOST_PAGES * SMALL} images; choose somebody with fewer")
    recorder.record("newest-page", recorder.images(sort="Newest"))
    recorder.record("empty-page", recorder.images(username=NOBODY))
    recorder.record("refusal-400", recorder.images(limit=rest.PAGE_SIZE + 1))


def record_profile(recorder: Recorder) -> None:
    """Record the profile page under the name of the encoding that the server wrote it in."""
    answer = recorder.record("profile", recorder.profile(recorder.username))
    state = pages.next_data(answer.text)["props"]["pageProps"]["trpcState"]
    name = "profile-devalue" if isinstance(state, str) else "profile-superjson"
    (RECORDED / "profile.json").replace(RECORDED / f"{name}.json")


@contextmanager
def server(base: str | None) -> Iterator[tuple[str, Sandbox | None]]:
    """Take the given server, or start a sandbox."""
    if base:
        yield base.rstrip("/"), None
        return
    world = World.build(seed=7, creators=[CreatorSpec(username=CREATOR, images=6, videos=1, levels=((Level.PG, 1.0),))])
    with Sandbox(world).in_thread() as sandbox:
        yield sandbox.url, sandbox


def main() -> None:
    """Record everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.cassettes", description=__doc__)
    parser.add_argument("--base-url", help="server to ask instead of the sandbox, such as https://civitai.com")
    parser.add_argument("--username", default=CREATOR, help="a creator of that server with five to a hundred images")
    given = parser.parse_args()
    RECORDED.mkdir(exist_ok=True)
    with server(given.base_url) as (base, sandbox):
        key = SANDBOX_ACCOUNT.key if sandbox else os.environ.get("CIVITAI_API_KEY", "")
        # Called by the site's own name the sandbox answers as the site would, with the CDN's own addresses.
        recorder = Recorder(base, given.username, key, urlsplit(SITE).netloc if sandbox else None)
        record_listing(recorder)
        recorder.record("unknown-profile", recorder.profile(NOBODY))
        for old in RECORDED.glob("profile-*.json"):
            old.unlink()
        record_profile(recorder)
        if sandbox:
            sandbox.site.quirks.devalue = "always"
            record_profile(recorder)


if __name__ == "__main__":
    main()
