"""Key and cookies go to the site's API and pages only; no file, log or screen has them, or what else is secret."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import Spider
from scrapy.crawler import AsyncCrawlerRunner

from civitscrape.archive.payloads import restore
from civitscrape.civitai import trpc
from civitscrape.commands.crawling import project_settings
from civitscrape.items import Level
from civitscrape.sandbox import Sandbox
from civitscrape.sandbox.accounts import Account
from civitscrape.sandbox.faults import ORIGIN, Fault, Rule
from civitscrape.sandbox.world import CreatorSpec, World
from tests.crawls.archive import Archived
from tests.crawls.processes import CIVITSCRAPE, SCRAPY, project, run
from tests.crawls.worlds import ASK, NAME, world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from scrapy import Request
    from scrapy.http import Response

pytestmark = pytest.mark.crawl

KEY = "d41d8cd98f00b204e9800998ecf8427e"
SESSION = "eyJhbGciOiJFUzI1NiJ9.c2Vzc2lvbg.c2lnbmF0dXJl"
KEEPER = Account(username="keeper", user_id=7001, key=KEY, session=SESSION, email="keeper@harbour.invalid")
TROUBLE = [
    {"fault": Fault.STATUS, "status": 500, "body": '{"error":"no"}', "path": "/api/", "times": 1},
    {"fault": Fault.RESET, "path": "/api/", "after": 1, "times": 1},
    {"fault": Fault.CHALLENGE, "status": 403, "path": "/user/", "times": 1},
    {"fault": Fault.STATUS, "status": 500, "path": "/xG1nkqKTMzGDvpLrqFT7WA/", "times": 20},
]
"""A retry of every kind, and files that fail for good."""

MODELS = World.build(creators=[CreatorSpec(username=NAME, images=4, models=20)])


def sandboxed(images: int = 6) -> Sandbox:
    return Sandbox(world(images, levels=((Level.PG, 1.0),)), known=(KEEPER,), faults=TROUBLE)


def files_with(text: str, folder: Path) -> list[Path]:
    """Find the files whose bytes hold a text."""
    everything = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in everything} >= {".sqlite", ".sqlite-wal", ".log", ".json", ".csv", ".jsonl"}
    return [path for path in everything if text.encode() in path.read_bytes()]


def who_got_the_key(sandbox: Sandbox) -> dict[str, set[bool]]:
    found: dict[str, set[bool]] = {}
    for line in list(sandbox.log.lines):
        if line.path != "/robots.txt":
            found.setdefault(line.role, set()).add(line.authorized)
    return found


@pytest.mark.parametrize("way", ["environment", "setting", "get"])
def test_the_key_is_in_no_file_and_in_no_output(tmp_path, way):
    folder = project(tmp_path)
    (folder / "output").mkdir()
    # A reader at work: the WAL stays beside the database.
    reader = sqlite3.connect(folder / "output" / "civitscrape.sqlite")
    reader.execute("PRAGMA journal_mode=WAL").fetchall()
    secret = f"CIVITAI_API_KEY={KEY}"
    words: dict[str, tuple[str, ...]] = {
        "environment": (*SCRAPY, "crawl", "user", "-a", f"username={NAME}", "-s", "LOG_LEVEL=DEBUG"),
        "setting": (*SCRAPY, "crawl", "user", "-a", f"username={NAME}", "-s", "LOG_LEVEL=DEBUG", "-s", secret),
        "get": (*CIVITSCRAPE, "get", NAME, "-s", "LOG_LEVEL=DEBUG", "-s", secret),
    }

    with sandboxed().in_thread() as sandbox:
        settings = (
            sandbox.settings() | {"RETRY_TIMES": "2"} | ({"CIVITAI_API_KEY": KEY} if way == "environment" else {})
        )
        done = run(words[way], folder=folder, settings=settings)
        reader.execute("SELECT count(*) FROM images").fetchall()

    assert "asking again" in done.stderr
    assert "DEBUG" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert files_with(KEY, folder / "output") == []
    assert files_with("asking again", folder / "output") != []
    payloads = [restore(body) for (body,) in reader.execute("SELECT body FROM payloads")]
    assert len(payloads) == 6
    assert KEY not in repr(payloads)
    assert who_got_the_key(sandbox) == {"api": {True}, "page": {True}, "media": {False}}
    reader.close()


def who_got_the_cookies(sandbox: Sandbox) -> dict[str, set[bool]]:
    found: dict[str, set[bool]] = {}
    for line in list(sandbox.log.lines):
        if line.path != "/robots.txt":
            found.setdefault(line.role, set()).add(line.cookies)
    return found


def cookies_txt(folder: Path) -> Path:
    path = folder / "cookies.txt"
    row = f"127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tciv-token\t{SESSION}"
    path.write_text(f"# Netscape HTTP Cookie File\n{row}\n")
    return path


@pytest.mark.parametrize("way", ["environment", "setting", "file", "get"])
def test_cookies_are_in_no_file_but_their_own_and_in_no_output(tmp_path, way):
    folder = project(tmp_path)
    (folder / "output").mkdir()
    reader = sqlite3.connect(folder / "output" / "civitscrape.sqlite")
    reader.execute("PRAGMA journal_mode=WAL").fetchall()
    given = str(cookies_txt(folder)) if way in {"file", "get"} else f"civ-token={SESSION}; theme=dark"
    secret = ("-s", f"CIVITAI_COOKIES={given}")
    crawl = (*SCRAPY, "crawl", "user", "-a", f"username={NAME}", "-s", "LOG_LEVEL=DEBUG")
    words: dict[str, tuple[str, ...]] = {
        "environment": crawl,
        "setting": (*crawl, *secret),
        "file": (*crawl, *secret),
        "get": (*CIVITSCRAPE, "get", NAME, "-s", "LOG_LEVEL=DEBUG", *secret),
    }

    with sandboxed().in_thread() as sandbox:
        sandbox.site.quirks.roll_sessions = True
        # A page that echoes what it was sent, and the session it was renewed to.
        echo = f'{{"error":"bad header: {SESSION}, now {KEEPER.renewed}"}}'
        sandbox.faults.add({"fault": Fault.STATUS, "status": 418, "body": echo, "path": "/user/"})
        settings = sandbox.settings() | {"RETRY_TIMES": "2"}
        settings |= {"CIVITAI_COOKIES": given} if way == "environment" else {}
        done = run(words[way], folder=folder, settings=settings)
        reader.execute("SELECT count(*) FROM images").fetchall()

    assert "asking again" in done.stderr
    assert "DEBUG" in done.stderr
    assert SESSION not in done.stdout + done.stderr
    assert files_with(SESSION, folder / "output") == []
    assert files_with("bad header: [key], now [key]", folder / "output") != []
    payloads = [restore(body) for (body,) in reader.execute("SELECT body FROM payloads")]
    assert SESSION not in repr(payloads)
    assert who_got_the_cookies(sandbox) == {"api": {True}, "page": {True}, "media": {False}}
    assert who_got_the_key(sandbox) == {"api": {False}, "page": {False}, "media": {False}}
    reader.close()


async def test_a_renewed_session_is_in_the_file_and_still_good(crawl, tmp_path):
    path = cookies_txt(tmp_path)

    with sandboxed().in_thread() as sandbox:
        sandbox.site.quirks.roll_sessions = True
        await crawl(sandbox, "user", ASK, CIVITAI_COOKIES=str(path))

    assert KEEPER.renewed in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert who_got_the_cookies(sandbox) == {"api": {True}, "page": {True}, "media": {False}}


class Asking(Spider):
    """Asks tRPC for a feed and for a batch."""

    name = "asking"

    def __init__(self, found: list[Any]) -> None:
        super().__init__()
        self.found = found

    async def start(self) -> AsyncIterator[Request]:
        site = self.settings["CIVITAI_URL"]
        yield trpc.query(site, "image.getInfinite", {"username": NAME, "browsingLevel": 31}, callback=self.keep_feed)
        yield trpc.batch(site, [("userProfile.overview", {"username": NAME})], callback=self.keep_batch)

    def keep_feed(self, response: Response) -> None:
        self.found.append(("feed", trpc.open_feed(response).entries))

    def keep_batch(self, response: Response) -> None:
        self.found.append(("batch", trpc.open_batch(response)))


@pytest.mark.parametrize("name", ["civ-token", "__Secure-civitai-token"])
async def test_cookies_open_trpc_and_the_levels_of_a_login(name):
    bare = {"SPIDER_MODULES": [], "EXTENSIONS": {}, "SPIDER_MIDDLEWARES": {}, "ITEM_PIPELINES": {}, "API_DELAY": 0}
    found: list[Any] = []

    with Sandbox(world(30), known=(KEEPER,)).in_thread() as sandbox:
        bare |= {"CIVITAI_COOKIES": f"{name}={SESSION}", **sandbox.settings()}
        await AsyncCrawlerRunner(project_settings(bare | {"TWISTED_REACTOR_ENABLED": False})).crawl(Asking, found)

    given = dict(found)
    assert {entry["nsfwLevel"] for entry in given["feed"]} == {1, 2}
    assert given["batch"][0]["imageCount"] > 0


async def test_without_a_key_nobody_is_told_who_asks(crawl):
    with sandboxed().in_thread() as sandbox:
        await crawl(sandbox, "user", ASK, CIVITAI_API_KEY="")

    assert who_got_the_key(sandbox) == {"api": {False}, "page": {False}, "media": {False}}
    assert not any(line.cookies for line in list(sandbox.log.lines))


async def test_media_that_are_sent_on_to_another_server_bring_it_no_key(crawl):
    sight = world(4)
    elsewhere = Sandbox(sight)

    with elsewhere.in_thread(), Sandbox(sight, known=(KEEPER,)).in_thread() as sandbox:
        for one in sight.truth(NAME, 3).images:
            place = f"{elsewhere.media_url}/{one['key']}/original=true/{one['key']}.jpeg"
            path = f"/xG1nkqKTMzGDvpLrqFT7WA/{one['key']}"
            sandbox.faults.add(Rule(fault=Fault.STATUS, status=302, headers={"Location": place}, path=path))
        crawled = await crawl(sandbox, "user", ASK, CIVITAI_API_KEY=KEY)

    assert isinstance(crawled.archive, Archived)
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert [line.authorized for line in elsewhere.log.lines] == [False] * 4


async def test_an_api_call_that_is_sent_on_to_another_server_is_not_followed(crawl):
    elsewhere = Sandbox(world(4))

    with elsewhere.in_thread(), Sandbox(world(4), known=(KEEPER,)).in_thread() as sandbox:
        sandbox.faults.add(
            Rule(fault=Fault.STATUS, status=302, headers={"Location": elsewhere.url + "/api/v1/images"}, path="/api/")
        )
        crawled = await crawl(sandbox, "user", ASK, CIVITAI_API_KEY=KEY)

    assert list(elsewhere.log.lines) == []
    assert "not an address of the site or its storage" in crawled.report["reasons"][0]


PUT_OFF = {"fault": Fault.STATUS, "status": 429, "headers": {"Retry-After": "90000"}}
STORAGE = [
    {"fault": Fault.STATUS, "status": 500},
    {"fault": Fault.STATUS, "status": 403},
    {"fault": Fault.STATUS, "status": 404, "body": '{"error": "no such key"}'},
    {"fault": Fault.STATUS, "status": 503, "headers": {"Retry-After": "soon"}},
    {"fault": Fault.STATUS, "status": 302, "headers": {"Location": "https://elsewhere.invalid/a?X-Amz-Signature=1"}},
    {"fault": Fault.STATUS, "status": 302, "headers": {"Location": "/storage/a?X-Amz-Signature=1"}},
    *({"fault": one} for one in Fault if one is not Fault.STATUS and one not in ORIGIN),
]
"""What may go wrong at the storage, beside faults of listings."""


@pytest.mark.parametrize("faults", [STORAGE, [PUT_OFF]], ids=["each kind", "put off"])
def test_the_signature_of_a_file_is_in_no_file_and_in_no_output(tmp_path, faults):
    folder = project(tmp_path)
    (folder / "output").mkdir()
    reader = sqlite3.connect(folder / "output" / "civitscrape.sqlite")
    reader.execute("PRAGMA journal_mode=WAL").fetchall()
    versions = sorted({file["version_id"] for file in MODELS.model_truth().stored})[: len(faults)]
    ids = ",".join(map(str, versions))
    words = (*SCRAPY, "crawl", "version", "-a", f"version_id={ids}", "-a", "content=files", "-s", "LOG_LEVEL=DEBUG")

    with Sandbox(MODELS, known=(KEEPER,)).in_thread() as sandbox:
        rules = [
            sandbox.faults.add({"seconds": 0.1, "path": f"/storage/model/{version}/", **fault})
            for version, fault in zip(versions, faults, strict=True)
        ]
        settings = sandbox.settings() | {"RETRY_TIMES": "1", "CIVITAI_API_KEY": KEY}
        done = run(words, folder=folder, settings=settings)
        reader.execute("SELECT count(*) FROM model_files").fetchall()

    assert [rule for rule in rules if not rule.hit] == []
    assert "DEBUG: Redirecting" in done.stderr
    assert "DEBUG: Crawled" in done.stderr
    assert "X-Amz-" not in done.stdout + done.stderr
    assert files_with("X-Amz-", folder / "output") == []
    assert files_with("Redirecting", folder / "output") != []
    reader.close()


def test_credentials_in_what_was_pasted_are_in_no_file_and_in_no_output(tmp_path):
    folder = project(tmp_path)
    (folder / "output").mkdir()
    reader = sqlite3.connect(folder / "output" / "civitscrape.sqlite")
    reader.execute("PRAGMA journal_mode=WAL").fetchall()
    pasted = (
        "https://user:S3CR3T@civitai.com/images/98000006 user:S3CR3T@civitai.com/posts/1 "
        "https://civitai.com/articles/5?token=S3CR3T https://civitai.com/images/98000006?token=S3CR3T"
    )

    with sandboxed().in_thread() as sandbox:
        words = (*SCRAPY, "crawl", "url", "-a", f"url={pasted}", "-s", "LOG_LEVEL=DEBUG")
        done = run(words, folder=folder, settings=sandbox.settings() | {"RETRY_TIMES": "1"})
        reader.execute("SELECT count(*) FROM runs").fetchall()

    assert "cannot be archived" in done.stderr
    assert "S3CR3T" not in done.stdout + done.stderr
    assert files_with("S3CR3T", folder / "output") == []
    assert files_with("articles/5?token=…", folder / "output") != []
    reader.close()
