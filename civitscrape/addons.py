"""Resolve what depends on other settings, after the command line has spoken."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.utils.reactor import is_reactor_installed

from civitscrape.archive import fields, paths, sidecars
from civitscrape.archive.pictures.options import METHODS, QUALITIES
from civitscrape.civitai.cookies import Cookies
from civitscrape.civitai.roles import Role, browser_slot, slot
from civitscrape.exceptions import ArgumentError
from civitscrape.exports.feeds import FEEDS

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

ADDON_PRIORITY = 15
"""Scrapy's own number for what an add-on sets."""

CHATTY = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware", "scrapy.utils.log", "scrapy.core.engine")
"""Loggers that at every start list what is enabled: a page of lines for Scrapy's developers, shown with DEBUG."""

AFTER_STORE = 600
"""Place of the pipeline that converts: it takes what is stored and booked."""

ADDRESSES = ("CIVITAI_URL", "CIVITAI_MATURE_URL", "CIVITAI_MEDIA_URL")


class Resolve:
    """Make folders absolute, build feeds and slots, and check what can be checked before the first request."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Set what follows from our settings.

        Raises:
            ArgumentError: a setting makes no sense.
        """
        quiet(settings)
        resolve(settings)
        if is_reactor_installed():  # by whoever runs this crawl among other things: the loop is theirs
            _set(settings, "ASYNCIO_EVENT_LOOP", None)


def quiet(settings: BaseSettings) -> None:
    """Leave out what Scrapy says at every start; commands call this before Scrapy's first line."""
    if settings.get("LOG_LEVEL") != "DEBUG":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
            # Scrapy's set-up of logging, which comes between, resets levels but not filters.
            logging.getLogger(name).addFilter(is_warning)
        logging.getLogger("scrapy.core.scraper").setLevel(logging.INFO)  # else it words a line a file that nobody sees


def is_warning(record: logging.LogRecord) -> bool:
    """Let through what is more than news."""
    return record.levelno >= logging.WARNING


def resolve(settings: BaseSettings) -> None:
    """Do the add-on's work; safe to call twice.

    Raises:
        ArgumentError: a setting makes no sense.
    """
    folder = Path(settings["OUTPUT_DIR"]).expanduser().absolute()
    _set(settings, "OUTPUT_DIR", str(folder))
    if "?" in str(folder) and "{OUTPUT_DIR}" in settings["DATABASE_URL"]:
        raise ArgumentError(f"setting OUTPUT_DIR: {str(folder)!r}: the address of a database cannot hold a ?")
    for name in ("DATABASE_URL", "MEDIA_STORE"):
        _set(settings, name, str(settings[name]).replace("{OUTPUT_DIR}", folder.as_posix()))
    if "://" in settings["MEDIA_STORE"]:
        raise ArgumentError(f"setting MEDIA_STORE: {settings['MEDIA_STORE']!r}: give a folder of this machine")
    _set(settings, "MEDIA_STORE", str(Path(settings["MEDIA_STORE"]).expanduser().absolute()))
    _set(settings, "FILES_STORE", settings["MEDIA_STORE"])
    for name in ADDRESSES:
        _set(settings, name, _address(name, settings[name]))
    for name in ("CIVITAI_API_KEY", "CIVITAI_COOKIES"):
        _set(settings, name, str(settings[name]).strip())
    Cookies.read(settings)
    sidecars.kinds_of(settings["SIDECARS"])
    paths.validate(settings["MEDIA_PATH"], fields.KNOWN)
    for name in ("KEEP_PAYLOADS", "WEBP_ENABLED", "WEBP_KEEP_ORIGINAL", "WEBP_ONLY_TAGGED"):
        _yes_or_no(settings, name)
    _whole(settings, "WEBP_QUALITY", QUALITIES)
    _whole(settings, "WEBP_METHOD", METHODS)
    _convert(settings)
    _pace(settings)
    _set(settings, "FEEDS", feeds(folder) | settings.getdict("FEEDS"))


def feeds(folder: Path) -> dict[str, Any]:
    """Build Scrapy's ``FEEDS``: one entry per item class and format, below the output folder."""
    # As an address, so that nothing in a folder's name is taken for one of the placeholders.
    base = folder.as_uri()
    return {f"{base}/feeds/%(name)s/%(time)s/{name}": options for name, options in FEEDS.items()}


def _pace(settings: BaseSettings) -> None:
    """Give the API its delay and the CDN its slot."""
    delay = _number(settings, "API_DELAY", at_least=0)
    _set(settings, "DOWNLOAD_DELAY", delay)
    _set(settings, "AUTOTHROTTLE_START_DELAY", delay)
    for name in ("RETRY_AFTER_MAX", "RETRY_BACKOFF"):
        _number(settings, name, at_least=0)
    concurrency = int(_number(settings, "MEDIA_CONCURRENCY", at_least=1))
    slots: dict[str, dict[str, float]] = {
        slot(Role.MEDIA, settings["CIVITAI_MEDIA_URL"]): {"concurrency": concurrency, "delay": 0, "jitter": 0}
    }
    pages = int(_number(settings, "BROWSER_PAGES", at_least=1))
    for name in ("CIVITAI_URL", "CIVITAI_MATURE_URL"):
        slots[browser_slot(settings[name])] = {"concurrency": pages, "delay": delay, "jitter": 0}
    _set(settings, "DOWNLOAD_SLOTS", slots | settings.getdict("DOWNLOAD_SLOTS"))


def _convert(settings: BaseSettings) -> None:
    """Add the pipeline that converts, where it is asked for: what it imports takes a twentieth of a second."""
    if settings.getbool("WEBP_ENABLED"):
        from civitscrape.pipelines.webp import Webp  # noqa: PLC0415 (as above)

        _set(settings, "ITEM_PIPELINES", settings.getdict("ITEM_PIPELINES") | {Webp: AFTER_STORE})


def _number(settings: BaseSettings, name: str, *, at_least: float) -> float:
    try:
        value = settings.getfloat(name)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or value < at_least:
        raise ArgumentError(f"setting {name}: {settings[name]!r}: give a number, {at_least} or more")
    return value


def _whole(settings: BaseSettings, name: str, allowed: range) -> None:
    try:
        value = settings.getint(name)
    except (TypeError, ValueError):
        value = allowed.start - 1
    if value not in allowed:
        raise ArgumentError(f"setting {name}: {settings[name]!r}: give a number, {allowed[0]} to {allowed[-1]}")


def _yes_or_no(settings: BaseSettings, name: str) -> None:
    try:
        settings.getbool(name)
    except ValueError as error:
        raise ArgumentError(f"setting {name}: {settings[name]!r}: give True or False") from error


def _address(name: str, value: str) -> str:
    try:
        parts = urlsplit(str(value))
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # brackets that do not match, a port that is no number
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ArgumentError(f"setting {name}: {value!r}: give an address such as https://civitai.com")
    return str(value).rstrip("/")


def _set(settings: BaseSettings, name: str, value: Any) -> None:
    """Set with the priority that the setting already has, so that the resolved value replaces the written one."""
    settings.set(name, value, priority=max(ADDON_PRIORITY, settings.getpriority(name) or 0))
