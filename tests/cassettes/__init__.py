"""Answers as a server gave them, recorded with betamax; ``python -m tests.cassettes`` records them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from betamax.cassette import Cassette
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

RECORDED = Path(__file__).parent / "recorded"
SITE = "https://civitai.com"
"""What stands in recorded addresses for whichever server was asked."""

SITE_MARK, KEY_MARK = "<SITE>", "<CIVITAI_API_KEY>"
"""What stands in the files for the server and for the key."""

PROFILES = [name for name in ("profile-superjson", "profile-devalue") if (RECORDED / f"{name}.json").is_file()]
"""Both where the sandbox was asked; another server writes one of them."""
PAGES = ("first-page", "last-page", "newest-page")
NAMES = [*PROFILES, *PAGES, "empty-page", "refusal-400", "unknown-profile"]


def recorded(name: str) -> Any:
    """Return a recorded answer as requests knows it, with the question in ``request``."""
    marks = [{"placeholder": SITE_MARK, "replace": SITE}, {"placeholder": KEY_MARK, "replace": ""}]
    # Without a session: nothing is asked, so nothing needs to be matched, and no warnings of betamax's age come up.
    cassette = Cassette(name, "json", cassette_library_dir=str(RECORDED), record_mode="none", placeholders=marks)
    [interaction] = cassette.interactions
    return interaction.as_response()


def answer(name: str, request: Request | None = None) -> Response:
    """Turn a recorded answer into what Scrapy would have made of it."""
    found = recorded(name)
    # The body has been decoded already.
    headers = Headers({key: value for key, value in found.headers.items() if key.lower() != "content-encoding"})
    made = responsetypes.from_args(headers=headers, url=found.url, body=found.content)
    return made(found.url, status=found.status_code, headers=headers, body=found.content, request=request)


def username(name: str = "first-page") -> str:
    """Tell whose images a recorded listing was asked for."""
    return str(parse_qs(urlsplit(recorded(name).request.url).query)["username"][0])
