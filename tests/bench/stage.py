"""A sandbox in a process of its own: what it holds, and what it saw of whoever fetched from it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

from civitscrape.civitai import media
from civitscrape.items import Level
from civitscrape.sandbox.building import CreatorSpec
from civitscrape.sandbox.process import spawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATOR = "lampwright"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the sandbox saw of one contender."""

    requests: dict[str, int]
    """Requests by role: ``api``, ``page``, ``media``."""
    transfer: float
    """Seconds from the arrival of the first request for a file to the end of the last answer to one."""
    sent: int
    """Bytes of files that the sandbox sent, whether they were of use or not."""
    ahead: float
    """Share of the pictures that were there before the last film was; 1 where there are no films."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One creator's files, and the way to them."""

    addresses: dict[str, Any]
    """What the sandbox tells of itself: ``url``, ``settings``, ``key``, ``proxy``, ``ca``."""
    urls: list[str]
    """Address of every original."""
    hashes: Counter[str]
    """SHA-256 of every original."""
    prompts: int
    """Entries whose prompt is to be seen."""
    tags: int
    """Links between entries and tags."""

    def seen(self) -> Seen:
        """Tell what was asked since the last call, and forget it."""
        told = ask(self.addresses["url"], "/_sandbox/requests", method="DELETE")
        files = [one for one in told["requests"] if one["role"] == "media"]
        begun = min((one["at"] for one in files), default=0.0)
        ended = max((one["at"] + one["seconds"] for one in files), default=0.0)
        films = [one["at"] + one["seconds"] for one in files if one["url"].endswith(".mp4")]
        pictures = [one["at"] + one["seconds"] for one in files if not one["url"].endswith(".mp4")]
        early = sum(at < max(films) for at in pictures) if films and pictures else 1
        return Seen(
            requests=told["counts"],
            transfer=ended - begun,
            sent=sum(one["sent"] for one in files),
            ahead=early / (len(pictures) if films and pictures else 1),
        )


@contextmanager
def stage(
    folder: Path,
    *,
    images: int,
    file_size: int | None = None,
    latency: float = 0,
    videos: int = 0,
    video_bytes: int | None = None,
    formats: tuple[str, ...] | None = None,
) -> Iterator[Stage]:
    """Run a sandbox with one creator, all of whose works are safe for work, so that every contender sees them all.

    Args:
        folder: where the certificate of its proxy goes.
        images: how many there are, videos among them.
        file_size: bytes of each; as the picture comes when null, a few thousand.
        videos: how many of them are videos.
        video_bytes: bytes of each video.
        latency: milliseconds that every answer waits.
        formats: what the pictures are, in turn; a mixture when null.
    """
    spec = CreatorSpec(
        username=CREATOR,
        images=images,
        videos=videos,
        video_bytes=video_bytes,
        file_size=file_size,
        levels=((Level.PG, 1.0),),
    )
    if formats is not None:
        spec = replace(spec, formats=formats)
    options = {
        "--creators": json.dumps([asdict(spec)]),
        "--latency": json.dumps(dict.fromkeys(("api", "page", "media"), latency)),
        "--ca": str(folder / f"ca-{images}-{latency}.pem"),
    }
    with spawn("--warm", *(word for option in options.items() for word in option)) as addresses:
        truth = ask(addresses["url"], f"/_sandbox/truth/{CREATOR}")["images"]
        yield Stage(
            addresses=addresses,
            urls=[media.original(addresses["media_url"], one["key"], one["type"]) for one in truth],
            hashes=Counter(one["sha256"] for one in truth),
            prompts=sum(isinstance(one["prompt"], str) for one in truth),
            tags=sum(len(one["tags"]) for one in truth),
        )


def ask(url: str, path: str, *, method: str = "GET") -> Any:
    """Ask the sandbox about itself, past any proxy of this machine."""
    with build_opener(ProxyHandler({})).open(Request(url + path, method=method)) as answer:
        return json.load(answer)
