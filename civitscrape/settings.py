"""Every switch, by concern; each departure from Scrapy's default with its reason."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)

from civitscrape.addons import Resolve
from civitscrape.downloads.downloader import PacedDownloader
from civitscrape.downloads.handler import DiskDownloadHandler
from civitscrape.exports.feeds import FlatCsvExporter, FlatJsonLinesExporter, uri_params
from civitscrape.extensions.books import Books
from civitscrape.extensions.clock import Clock
from civitscrape.extensions.feeds import Feeds
from civitscrape.extensions.heartbeat import Heartbeat
from civitscrape.extensions.log import RunLog
from civitscrape.extensions.progress import Progress
from civitscrape.extensions.report import Report
from civitscrape.extensions.stats import Stats
from civitscrape.extensions.thrift import Thrift
from civitscrape.extensions.votes import Votes
from civitscrape.extensions.wording import Wording
from civitscrape.middlewares.auth import Auth
from civitscrape.middlewares.commit import Commit
from civitscrape.middlewares.pace import Pace
from civitscrape.middlewares.redirect import Redirect
from civitscrape.middlewares.retry import GiveUp, Retry
from civitscrape.pipelines.dedup import Dedup
from civitscrape.pipelines.describe import Describe
from civitscrape.pipelines.feed import Feed
from civitscrape.pipelines.files import Files
from civitscrape.pipelines.media import Media
from civitscrape.pipelines.posters import Posters
from civitscrape.pipelines.store import Store

own: list[str] = []
"""Names of our settings."""


def _env(name: str, default: Any) -> Any:
    """Take one of our settings from the environment, where it is set and not empty."""
    own.append(name)
    return os.environ.get(name) or default


# The project

BOT_NAME = "civitscrape"
SPIDER_MODULES = ["civitscrape.spiders"]
COMMANDS_MODULE = "civitscrape.commands.project"  # `scrapy crawl` that checks before it starts
ADDONS = {Resolve: 0}
USER_AGENT = "civitscrape/0.1 (personal archiver; Scrapy)"  # honest, and without browser words (rest.md §9)

# Our own: where to ask, and as whom

CIVITAI_URL = _env("CIVITAI_URL", "https://civitai.com")
"""Address of the site for safe-for-work levels."""
CIVITAI_MATURE_URL = _env("CIVITAI_MATURE_URL", "https://civitai.red")
"""Address of the site when R or above is asked for."""
CIVITAI_MEDIA_URL = _env("CIVITAI_MEDIA_URL", "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA")
"""Address of the CDN, the bucket included; media addresses are built from it and the key."""
CIVITAI_STORAGE_HOSTS = _env(
    "CIVITAI_STORAGE_HOSTS", "civitai.com,civitai.red,backblazeb2.com,r2.cloudflarestorage.com"
)
"""Suffixes of the hosts that redirected media may come from, with commas."""
CIVITAI_API_KEY = _env("CIVITAI_API_KEY", "")
"""Your API key; sent to `CIVITAI_URL` and `CIVITAI_MATURE_URL` only, and written nowhere."""
CIVITAI_COOKIES = _env("CIVITAI_COOKIES", "")
"""Cookies of a browser that is logged in, where there is no key: `name=value; …` as sent to `CIVITAI_URL`, or the path
of a cookies.txt, which is kept up to date."""

# Our own: where to put it

OUTPUT_DIR = _env("OUTPUT_DIR", "output")
"""Folder of everything that a crawl leaves."""
DATABASE_URL = _env("DATABASE_URL", "sqlite:///{OUTPUT_DIR}/civitscrape.sqlite")
"""Database, as an SQLAlchemy address; `{OUTPUT_DIR}` stands for the folder."""
MEDIA_STORE = _env("MEDIA_STORE", "{OUTPUT_DIR}/media")
"""Folder of the media files; `{OUTPUT_DIR}` stands for the folder."""
MEDIA_PATH = _env("MEDIA_PATH", "{creator}/{id}{ext}")
"""Template of a file's path inside `MEDIA_STORE`, with fields in braces; or a preset: `flat`, `by-model`, `rated`,
`grabber`, `grabber-unsorted`."""
SIDECARS = _env("SIDECARS", "json")
"""Files beside each media file, with commas: `json` (the record), `txt` (generation data), `tags` (one a line),
`caption` or `caption-prompt` (for training), `meta` (as CivitAI_Image_grabber writes them); or `none`."""
KEEP_PAYLOADS = _env("KEEP_PAYLOADS", True)
"""Keep each entry as it came, in the table `payloads`; a new row only when more than counters changed."""

# Our own: WebP

WEBP_ENABLED = _env("WEBP_ENABLED", False)
"""Make a WebP of each picture as soon as it is stored; `civitscrape convert` does so later."""
WEBP_QUALITY = _env("WEBP_QUALITY", 85)
"""Quality of WebPs, 1 to 100."""
WEBP_METHOD = _env("WEBP_METHOD", 4)
"""How long to look for a small WebP: 0, quick, to 6, small; 2 is twice as quick as 4, for a twentieth more bytes."""
WEBP_KEEP_ORIGINAL = _env("WEBP_KEEP_ORIGINAL", True)
"""Keep originals beside their WebP; if not, an original goes once its WebP is proven, in place and in the database."""
WEBP_ONLY_TAGGED = _env("WEBP_ONLY_TAGGED", False)
"""Convert only pictures with community tags."""

# Our own: the pace

API_DELAY = _env("API_DELAY", 1.5)
"""Seconds between API calls, and between pages; the pace that the site's users recommend."""
MEDIA_CONCURRENCY = _env("MEDIA_CONCURRENCY", 16)
"""Files fetched at once."""
RETRY_AFTER_MAX = _env("RETRY_AFTER_MAX", 600)
"""Longest wait in seconds that a `Retry-After` may ask for; a longer one ends what it holds up, to be gone on with."""
RETRY_BACKOFF = _env("RETRY_BACKOFF", 1.0)
"""Seconds before the first repetition of a failed request; doubled each time, to at most a minute."""

# Our own: a browser, for those who have neither key nor cookies and still want votes

BROWSER_EXECUTABLE = _env("BROWSER_EXECUTABLE", "")
"""Program of a Chromium for `votes=browser`; found by itself when empty: Debian's `chromium-headless-shell`, that of
Playwright, `chromium`, `google-chrome`."""
BROWSER_PAGES = _env("BROWSER_PAGES", 4)
"""Pages that the browser has open at once."""

# Pace. A host is asked one thing at a time; files have slots of their own, made by the add-on

DOWNLOADER = PacedDownloader  # Scrapy's own forgets a slot's limit when its delay is 0, and cannot hold a slot
CONCURRENT_REQUESTS = 0  # no limit in all: a full media slot would keep the next API call waiting
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # API and pages; media have MEDIA_CONCURRENCY
CONCURRENT_ITEMS = 100  # of one answer; each waits for its file
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 2_000_000  # bytes of answers in work: beyond, no further page is asked for
DOWNLOAD_DELAY_JITTER = 0  # API_DELAY is a floor, and jitter would go below it
AUTOTHROTTLE_ENABLED = True  # a slow site is asked more slowly; start and floor are API_DELAY (add-on)
ROBOTSTXT_OBEY = True  # for pages; the documented API and the CDN carry a mark (docs/decisions)
RETRY_EXCEPTIONS = [  # what the download handler raises; Scrapy's list imports a good part of Twisted
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    OSError,
]
RETRY_TIMES = 6  # with RETRY_BACKOFF 1 that is about a minute of patience
HTTPCACHE_ENABLED = False  # what is asked again is asked because it may have changed

# Safety

DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's default takes any certificate, and an API key is sent
REMOTE_CONTROL_ENABLED = False  # Scrapy's default runs code that is sent to it over HTTP
TELNETCONSOLE_ENABLED = False  # as above, over telnet
COOKIES_ENABLED = False  # nothing that the site sets is sent back
REFERER_ENABLED = False  # the CDN is not told which address led to a file

# Transfer

ASYNCIO_EVENT_LOOP = (
    "uvloop.Loop" if find_spec("uvloop") else None
)  # files come a sixth sooner; not to be had on Windows
DOWNLOAD_HANDLERS = {"http": DiskDownloadHandler, "https": DiskDownloadHandler}  # files go to disk as they come
DOWNLOAD_TIMEOUT = 60  # seconds for an API answer or a page; files have a time-out between bytes
DOWNLOAD_MAXSIZE = 64 * 2**20  # bytes of an answer kept in memory; the largest page seen has two million
DOWNLOAD_WARNSIZE = 0  # files are not held in memory, so their size is nothing to warn of
MEDIA_ALLOW_REDIRECTS = True  # the CDN may hand out an address of its storage

DOWNLOADER_MIDDLEWARES = {
    GiveUp: 10,  # outermost: what failed for good becomes an answer that says so
    Retry: 550,
    Pace: 560,
    Redirect: 600,
    Auth: 800,  # near the wire: the key is put on last and taken off first
    # Not needed, and each costs time on every file; by name, so that only a crawl imports them:
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": None,  # requests bring their own
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # addresses are built here
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
}
SPIDER_MIDDLEWARES = {
    Commit: 900,  # next to the spider: nothing leaves before it is committed
    # Not needed: callbacks open answers of any status, and all requests are built here.
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
}

# What comes of it

# Where WEBP_ENABLED asks for it, the add-on puts webp behind the store.
ITEM_PIPELINES = {Dedup: 100, Media: 300, Files: 310, Describe: 320, Store: 500, Posters: 510, Feed: 1000}
EXTENSIONS = {
    Books: 1,  # first: the others use what it opens
    RunLog: 2,
    Progress: 10,
    Report: 20,
    Thrift: 30,
    Votes: 35,
    Feeds: 40,
    Clock: 50,
    Heartbeat: 51,
    "scrapy.extensions.corestats.CoreStats": None,  # counts what nobody reads here, in a task of its own for each item
    "scrapy.extensions.feedexport.FeedExporter": None,  # Feeds is the same, and knows what a full disk is
    "scrapy.extensions.logstats.LogStats": None,  # Progress tells more
    "scrapy.extensions.memusage.MemoryUsage": None,  # has no limit to watch
    "scrapy.extensions.spiderstate.SpiderState": None,  # the state is in the database
}
FEED_EXPORTERS = {"csv": FlatCsvExporter, "jsonlines": FlatJsonLinesExporter}  # no lost columns, and fast
FEED_URI_PARAMS = uri_params  # milliseconds: two runs in one second would write into one file
FEED_EXPORT_ENCODING = "utf-8"  # JSON with letters, not with escapes
FEED_STORE_EMPTY = True  # a crawl that listed nothing leaves a file that says so
STATS_CLASS = Stats  # Scrapy's own, without a costly look-out
STATS_DUMP = False  # the report says it in words
DOWNLOADER_STATS = False  # counts every request in six ways that nobody reads here
LOG_VERSIONS: list[str] = []  # a dozen lines at every start; `scrapy version -v` prints them
LOG_FORMATTER = Wording  # Scrapy's own words every answer, though nobody sees it
LOG_LEVEL = "INFO"  # DEBUG logs a line a file, and costs a sixth of the speed
