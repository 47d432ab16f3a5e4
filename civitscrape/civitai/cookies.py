"""The cookies of a person who is logged in: a browser's header or its cookies.txt (contract trpc-and-pages.md §8.1).

They are secrets: they go to the site's own addresses only, and are written into nothing but the file they came from.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import warnings
from contextlib import suppress
from email.message import Message
from http.cookiejar import Cookie, CookieJar, LoadError, MozillaCookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import Request

from civitscrape.civitai.roles import within
from civitscrape.exceptions import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)

SESSION = re.compile(r"(?:__Secure-)?civ(?:itai)?-token")
"""Cookies that are a login: today's, and the one from before, which the site still reads."""
RENEWED = re.compile(rf"{SESSION.pattern}|(?:__Secure-)?civ-device")
"""Cookies that the site hands out anew from time to time, and that are then kept."""

SHORTEST_SECRET = 8
"""Characters; shorter values, such as those of settings, are no secrets and occur in many other words."""

_PAIR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=[^;\x00-\x1f\x7f]*"
_HEADER = re.compile(rf"\s*(?:cookie:\s*)?({_PAIR}(?:;\s*{_PAIR})*);?\s*", re.IGNORECASE)
_FORMAT = "whose first line is '# Netscape HTTP Cookie File'"


class Cookies:
    """Cookies for the site's own addresses, and for no other."""

    def __init__(self, jar: CookieJar, places: tuple[str, ...], path: Path | None = None) -> None:
        self._jar = jar
        self._places = places
        self._path = path
        self._told: set[str] = set()
        self._learn(jar)

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Self:
        """Take what ``CIVITAI_COOKIES`` holds: nothing, a header for ``CIVITAI_URL``, or the path of a cookies.txt.

        Raises:
            ArgumentError: it is neither, or has no cookie for the site; no value is repeated in the message.
        """
        written = str(settings["CIVITAI_COOKIES"]).strip()
        places = (settings["CIVITAI_URL"], settings["CIVITAI_MATURE_URL"])
        if not written:
            return cls(CookieJar(), ())
        path, header = Path(written).expanduser(), _HEADER.fullmatch(written)
        is_file = False
        with suppress(OSError, ValueError):  # a header may be too long for a path
            is_file = path.exists()
        if not is_file and header is not None:
            return cls(_from_header(header[1], places[0]), places[:1])
        if not is_file:
            # What has a ; or = may be a secret that was cut short.
            culprit = "its value" if set(written) & set(";=\n\t") else repr(written)
            raise ArgumentError(
                f"setting CIVITAI_COOKIES: {culprit} is neither a file that is there nor cookies; give "
                f"'name=value; name2=value2' as a browser sends it to {places[0]}, or the path of a cookies.txt"
            )
        path = path.resolve()
        jar = _from_file(path)
        if not any(_belongs(one, place) for one in jar for place in places):
            hosts = " or ".join(urlsplit(place).netloc for place in places)
            raise ArgumentError(
                f"setting CIVITAI_COOKIES: {str(path)!r} has no cookie for {hosts}; log in there, then export again"
            )
        return cls(jar, places, path)

    def __len__(self) -> int:
        return len(self._jar)

    @property
    def secrets(self) -> frozenset[str]:
        """Values that nothing may write down, renewed ones and those they replaced included."""
        return frozenset(self._told)

    def header(self, url: str) -> str | None:
        """Write the header for an address; None where no cookie belongs."""
        if not any(within(url, place) for place in self._places):
            return None
        asking = Request(url)  # noqa: S310 (asks nothing: it is what the standard library's jar reads)
        self._jar.add_cookie_header(asking)
        return asking.get_header("Cookie")

    def has_session(self, url: str) -> bool:
        """Tell whether an address gets a login that has not run out."""
        pairs = (self.header(url) or "").split(";")
        return any(SESSION.fullmatch(pair.partition("=")[0].strip()) for pair in pairs)

    def renew(self, url: str, lines: Iterable[str]) -> None:
        """Take over the session that an answer hands out anew, and write the file again if there is one.

        A cookie that the site only takes away stays: what the person gave is given up for nothing but a newer one.

        Args:
            url: where the answer came from.
            lines: its ``Set-Cookie`` headers.
        """
        fresh = CookieJar()
        fresh.extract_cookies(_Answer(lines), Request(url))  # type: ignore[arg-type]  # noqa: S310 (as above)
        found = [one for one in fresh if RENEWED.fullmatch(one.name)]
        if not found or not any(within(url, place) for place in self._places) or self._has(found):
            return
        self._learn(found)
        if self._path is not None:
            # Another crawl, or the person, may have written meanwhile.
            with suppress(ArgumentError):
                self._jar = _from_file(self._path)
        for one in found:
            _replace(self._jar, one, url)
        if self._path is not None:
            self._write(self._path)

    def _has(self, cookies: Iterable[Cookie]) -> bool:
        """Tell whether nothing would change, but for the time when they run out."""
        ours = {(one.name, one.domain, one.value) for one in self._jar}
        return all((one.name, one.domain, one.value) in ours for one in cookies)

    def _learn(self, cookies: Iterable[Cookie]) -> None:
        for one in cookies:
            if one.value and (len(one.value) >= SHORTEST_SECRET or RENEWED.fullmatch(one.name)):
                self._told.add(one.value)

    def _write(self, path: Path) -> None:
        """Put the cookies into the file, whole or not at all, readable for its owner alone."""
        jar = MozillaCookieJar()
        for one in self._jar:
            jar.set_cookie(one)
        new: str | None = None
        try:
            handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
            os.close(handle)
            jar.save(new, ignore_discard=True, ignore_expires=True)
            Path(new).replace(path)
        except OSError as error:
            if new is not None:
                Path(new).unlink(missing_ok=True)
            logger.warning("%s cannot be kept up to date: %s; export it again when the login has run out", path, error)


def has_login(settings: Mapping[str, Any], base: str) -> bool:
    """Tell whether calls to an address of the site are made as somebody: by a key, or by cookies that have not run out.

    Args:
        settings: those of the crawl, resolved.
        base: ``CIVITAI_URL`` or ``CIVITAI_MATURE_URL``, as they stand in the settings.
    """
    return bool(settings["CIVITAI_API_KEY"]) or Cookies.read(settings).has_session(f"{base}/")


class _Answer:
    """As much of an answer as the standard library's jar reads."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._headers = Message()
        for line in lines:
            self._headers["Set-Cookie"] = line

    def info(self) -> Message:
        return self._headers


def _from_header(text: str, place: str) -> CookieJar:
    jar = CookieJar()
    for pair in text.split(";"):
        name, _, value = pair.strip().partition("=")
        jar.set_cookie(_cookie(name, value.strip(), _host(place)))
    return jar


def _from_file(path: Path) -> MozillaCookieJar:
    jar = MozillaCookieJar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the standard library's own complaint about a broken line
            jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (LoadError, ValueError):
        # Not chained: their words repeat a line of the file.
        raise ArgumentError(
            f"setting CIVITAI_COOKIES: {str(path)!r} is no cookies.txt in Netscape's format, {_FORMAT}; export it again"
        ) from None
    except OSError as error:
        raise ArgumentError(f"setting CIVITAI_COOKIES: {str(path)!r} cannot be read: {error.strerror}") from error
    for one in jar:
        if one.expires == 0:  # how browsers write a cookie that ends with the browser
            one.expires, one.discard = None, True
    return jar


def _host(url: str) -> str:
    """Name the host of an address as the standard library's jar does."""
    host = re.sub(r":\d+$", "", urlsplit(url).netloc.lower())
    return host if "." in host else f"{host}.local"


def _belongs(cookie: Cookie, url: str) -> bool:
    """Tell whether a cookie is one of an address's host."""
    domain, host = cookie.domain.removeprefix("."), _host(url)
    return domain == host or host.endswith(f".{domain}")


def _replace(jar: CookieJar, new: Cookie, url: str) -> None:
    """Put a cookie in the place of those that say the same; a new session ends every older one of its host."""
    is_session = SESSION.fullmatch(new.name)
    for old in list(jar):
        same = SESSION.fullmatch(old.name) if is_session else old.name == new.name
        if same and _belongs(old, url):
            jar.clear(old.domain, old.path, old.name)
    jar.set_cookie(new)


def _cookie(name: str, value: str, domain: str) -> Cookie:
    return Cookie(
        version=0, name=name, value=value, port=None, port_specified=False, domain=domain, domain_specified=False,
        domain_initial_dot=False, path="/", path_specified=True, secure=False, expires=None, discard=True,
        comment=None, comment_url=None, rest={},
    )  # fmt: skip
