"""Addresses of the CDN: the key in an address of any form, and the address of an original (contract rest.md §10)."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit

from civitscrape.civitai.roles import within
from civitscrape.items import MediaType

_EXTENSIONS = {MediaType.IMAGE: ".jpeg", MediaType.VIDEO: ".mp4", MediaType.AUDIO: ".mp3"}
WIDTHS = (96, 320, 450, 512, 800, 1200, 1600)
"""Widths of the ladder that the CDN renders as they are asked for; it raises others, and caps the next, 2200."""
WIDEST = WIDTHS[-1]
"""Widest of the renderings that the CDN has on its ladder and does not cap."""
ORIGINAL = "original"
"""Quality of the bytes as uploaded; the others are renditions, ``width=450`` and its like."""
_KEY = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,199}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_USUAL = re.compile(rf"https?://([a-z0-9.-]+)(?::[0-9]+)?/[A-Za-z0-9_-]{{22}}/({_UUID.pattern})/[^?#]*")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{22}")
_CACHE = "civitai-media-cache"  # bucket that the CDN redirects to since 2026
_SITES = ("civitai.com", "civitai.red")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_key(text: str) -> bool:
    """Tell whether a text is safe as one segment of an address, and so may be a key.

    >>> is_key("1f0a7c52-6d4e-4b0a-9a55-0c8e2f7d91a1"), is_key("../secret"), is_key("a/b")
    (True, False, False)
    """
    return _KEY.fullmatch(text) is not None and ".." not in text


def original(base: str, key: str, media_type: str) -> str:
    """Return the address of the bytes as uploaded; ``base`` is CIVITAI_MEDIA_URL.

    >>> original("https://image.example/account", "1f0a", "video")
    'https://image.example/account/1f0a/original=true/1f0a.mp4'

    Raises:
        ValueError: the key is not one, see ``is_key``, or the type is unknown.
    """
    return _address(base, key, "original=true", MediaType(media_type))


def transcode(base: str, key: str) -> str:
    """Return the address of the site's own rendering of a video, for want of the original (rest.md §10).

    >>> transcode("https://image.example/account", "1f0a")
    'https://image.example/account/1f0a/transcode=true,width=1600/1f0a.mp4'

    Raises:
        ValueError: the key is not one, see ``is_key``.
    """
    return _address(base, key, f"transcode=true,width={WIDEST}", MediaType.VIDEO)


def rendition_of(quality: str, media_type: str) -> str | None:
    """Name the rendition that a quality stands for; None for the original, and for sound, of which there is no other.

    >>> rendition_of("width=450", "image"), rendition_of("width=450", "audio"), rendition_of("original", "image")
    ('width=450', None, None)
    """
    return None if quality == ORIGINAL or media_type == MediaType.AUDIO else quality


def poster(base: str, key: str) -> str:
    """Return the address of the still that the site shows of a video (rest.md §10).

    >>> poster("https://image.example/account", "1f0a")
    'https://image.example/account/1f0a/anim=false,transcode=true,width=450,original=false,optimized=true/1f0a.jpeg'

    Raises:
        ValueError: the key is not one, see ``is_key``.
    """
    asked = "anim=false,transcode=true,width=450,original=false,optimized=true"
    return _address(base, key, asked, MediaType.IMAGE)


def smaller(base: str, key: str, media_type: str, rendition: str) -> str:
    """Return the address of a rendition: a picture as JPEG or the like, a video as the site plays it.

    >>> smaller("https://image.example/account", "1f0a", "video", "width=450")
    'https://image.example/account/1f0a/transcode=true,width=450/1f0a.mp4'

    Raises:
        ValueError: the key is not one, see ``is_key``, or the type is unknown.
    """
    kind = MediaType(media_type)
    return _address(base, key, f"transcode=true,{rendition}" if kind is MediaType.VIDEO else rendition, kind)


def key_of(url: str, *, base: str = "") -> str | None:
    """Return the key in an address of the CDN, whatever its form and year; None for a foreign address.

    The site's hosts and loopback are the CDN's, and whatever lies under ``base`` (CIVITAI_MEDIA_URL).

    >>> key_of("https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/1f0a/width=450/98000001.jpeg")
    '1f0a'
    >>> key_of("https://elsewhere.example/1f0a/width=450/1.jpeg")
    """
    if "/" not in url:
        return url if is_key(url) else None
    usual = _USUAL.fullmatch(url)
    if usual is not None and _is_ours(usual[1]):  # the form of every listing, without the cost of taking it apart
        return usual[2]
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    if not (_is_ours(host) or (base and within(url, base))):
        return None
    key = _key_in([segment for segment in parts.path.split("/") if segment])
    return key if key is not None and is_key(key) else None


def _is_ours(host: str) -> bool:
    return host in _LOOPBACK or any(host == site or host.endswith(f".{site}") for site in _SITES)


def _key_in(segments: list[str]) -> str | None:
    """Find the key among the segments of a path: the surest sign first."""
    for segment in segments:
        if _UUID.fullmatch(segment):
            return segment
    for before, segment in pairwise(segments):
        # ``width=450`` and its like follow the key.
        if "=" in segment or before == _CACHE:
            return segment if before == _CACHE else before
    if len(segments) > 1 and _ACCOUNT.fullmatch(segments[0]):
        return segments[1]
    stem = segments[-1].partition(".")[0] if segments else ""
    return stem if _UUID.fullmatch(stem) else None


def _address(base: str, key: str, asked: str, media_type: MediaType) -> str:
    if not is_key(key):
        raise ValueError(f"media key {key!r}: not safe as a part of an address; it must not be fetched")
    return f"{base.rstrip('/')}/{key}/{asked}/{key}{_EXTENSIONS[media_type]}"
