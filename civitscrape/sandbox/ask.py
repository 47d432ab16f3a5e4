"""One request as the sandbox's rooms see it, and the answer they give: plain values, no web framework."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from multidict import MultiMapping

from civitscrape.items import Level
from civitscrape.sandbox.accounts import Login
from civitscrape.sandbox.drawn import Drawn

if TYPE_CHECKING:
    from civitscrape.sandbox.accounts import Account

SFW = Level.PG | Level.PG13
EVERYTHING = Level.PG | Level.PG13 | Level.R | Level.X | Level.XXX


class Colour(StrEnum):
    """Which of the site's faces was asked (contract rest.md §2.1)."""

    GREEN = "green"
    RED = "red"


GREEN_HOSTS = frozenset({"civitai.com", "www.civitai.com"})
RED_HOSTS = frozenset({"civitai.red", "www.civitai.red", "civitaired.com"})
MEDIA_HOSTS = frozenset({"image.civitai.com", "image-b2.civitai.com"})
STORAGE_HOST = "civitai-delivery.r2.cloudflarestorage.com"


class Role(StrEnum):
    """What a request is for; decides latency, faults and the line it is counted in."""

    API = "api"
    PAGE = "page"
    MEDIA = "media"
    STORAGE = "storage"
    CONTROL = "control"


@dataclass(slots=True, kw_only=True)
class Ask:
    """A request."""

    method: str
    path: str
    """Decoded, without the query."""
    query: MultiMapping[str]
    headers: Mapping[str, str]
    origin: str
    """Scheme and host that the caller used, such as ``https://civitai.com``."""
    home: str
    """Scheme and host of the green host, which some addresses name whoever is asked."""
    colour: Colour
    login: Login | None
    image_location: str
    """What addresses of images start with, as this caller should see them."""
    body: bytes = b""

    @property
    def caller(self) -> Account | None:
        """Who is asking; null when nobody is logged in."""
        return self.login.account if self.login else None

    @property
    def cap(self) -> Level:
        """Levels that the website shows this caller, whatever it asks (contract trpc-and-pages §2.3)."""
        if self.caller is None:
            return Level.PG
        return SFW if self.colour is Colour.GREEN else EVERYTHING


@dataclass(slots=True)
class Answer:
    """What goes back: the body whole, because it may be kept, cut or altered on its way; big files are drawn."""

    status: int = 200
    body: bytes | Drawn = b""
    headers: dict[str, str] = field(default_factory=dict)


def compact(value: Any) -> bytes:
    """Encode JSON as JavaScript does: no spaces, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def json_answer(ask: Ask, body: bytes, *, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON: a strong ETag always, 304 to who has it already (contract rest.md §2.3).

    Header names are given with ``_`` for ``-``.
    """
    etag = f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {"ETag": etag, "X-Handled-By": "sandbox", **named}
    if ask.headers.get("If-None-Match") == etag:
        return Answer(304, b"", base)
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **base})
