"""Whole crawls while the site points elsewhere: nothing is sent there, and the walk says what was wrong."""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from civitscrape.civitai import rest
from civitscrape.items import Level
from civitscrape.sandbox import CreatorSpec, Sandbox, World, spawn
from civitscrape.sandbox.faults import Fault, Rule
from civitscrape.sandbox.media import BUCKET
from tests.crawls.archive import Archived
from tests.crawls.processes import SCRAPY, project, run
from tests.crawls.worlds import ASK, NAME, PAGE, at, world

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crawl

API = "/api/v1/images"
MEDIA = f"/{BUCKET}/"
BOTH = ((Level.PG, 1.0), (Level.R, 1.0))
NEWEST = PAGE - 1
"""Entries of the newest page, which is asked for right after the first."""


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(rest, "PAGE_SIZE", PAGE)


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """Listen at an address of this machine that nobody told the crawl of."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def callers(trap: socket.socket) -> int:
    """Count the connections that came in."""
    found = 0
    try:
        while True:
            trap.accept()[0].close()
            found += 1
    except BlockingIOError:
        return found


class Dialled:
    """Every address that this process connects to or looks up, told by the interpreter itself."""

    def __init__(self) -> None:
        self.addresses: set[tuple[str, int]] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.addresses is None:
            return
        if event == "socket.connect" and isinstance(args[1], tuple):
            self.addresses.add((str(args[1][0]), int(args[1][1])))
        elif event == "socket.getaddrinfo":
            self.addresses.add((str(args[0]), int(args[1] or 0)))


HEARD = Dialled()
"""One for all tests: an audit hook stays until the interpreter ends."""


@pytest.fixture
def dialled() -> Iterator[set[tuple[str, int]]]:
    HEARD.addresses = set()
    yield HEARD.addresses
    HEARD.addresses = None


def elsewhere(dialled: set[tuple[str, int]], sandbox: Sandbox) -> set[tuple[str, int]]:
    """Tell which addresses were not those that the crawl was given."""
    return {
        (host, port) for host, port in dialled if port != sandbox.port or host not in {"127.0.0.1", "localhost", "::1"}
    }


def place(where: str, trap: socket.socket) -> str:
    """Fill in the port of the trap."""
    return where.format(port=trap.getsockname()[1])


PRIVATE = {
    "another port of this machine": "http://127.0.0.1:{port}/latest",
    "that port by name": "http://localhost:{port}/latest",
    "a private network": "http://10.0.0.1/latest",
    "the metadata of a cloud": "http://169.254.169.254/latest/meta-data/",
    "a file": "file:///etc/hostname",
}
ABROAD = (
    "http://10.0.0.1/latest",
    "http://169.254.169.254/latest/meta-data/",
    "http://civitai.com@169.254.169.254/latest",
    "http://2130706433:{port}/latest",
    "http://[::ffff:10.0.0.1]/latest",
    "file:///etc/hostname",
)
"""Where no file may come from, even while the site itself is on this machine."""


@pytest.mark.parametrize("where", PRIVATE.values(), ids=PRIVATE)
async def test_a_call_that_is_sent_to_a_private_address_ends_its_walk_and_sends_nothing(crawl, trap, dialled, where):
    sight = world(50)
    sent_on = Rule(fault=Fault.STATUS, status=307, headers={"Location": place(where, trap)}, path=API, contains=at(20))

    with Sandbox(sight, faults=[sent_on]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", ASK, RETRY_TIMES=1)
        sandbox.faults.clear()
        first = broken.archive.rows("SELECT state, error FROM walks WHERE source != 'page.user'")
        whole = await crawl(sandbox, "user", ASK)

    assert callers(trap) == 0
    assert elsewhere(dialled, sandbox) == set()
    assert broken.outcome == "incomplete"
    assert [row["state"] for row in first] == ["broken"]
    assert any(words in first[0]["error"] for words in ("cannot be followed", "leads to ", "leads nowhere"))
    assert whole.archive.differences(sight.truth(NAME, 3)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_files_that_are_sent_to_private_addresses_fail_alone_and_send_nothing(crawl, trap, dialled):
    sight = world(12)
    sent = dict(zip(ABROAD, sight.truth(NAME, 3).images, strict=False))
    status = {"fault": "status", "status": 302}
    rules = [
        {**status, "headers": {"Location": place(where, trap)}, "path": MEDIA + one["key"]}
        for where, one in sent.items()
    ]

    with Sandbox(sight, faults=rules).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", ASK, RETRY_TIMES=1)
        left = broken.archive.differences(sight.truth(NAME, 3))
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", ASK)

    assert callers(trap) == 0
    assert elsewhere(dialled, sandbox) == set()
    assert broken.outcome == "incomplete"
    failed = [f"image {one['id']}: has no file; its media row says failed: " for one in sent.values()]
    assert all(flaw.startswith(words) for flaw, words in zip(left, failed, strict=True))
    assert whole.archive.differences(sight.truth(NAME, 3)) == []


def test_a_site_of_the_world_sends_nobody_to_this_machine(tmp_path, trap):
    here = place("http://127.0.0.1:{port}/latest", trap)
    sight = World.build(seed=1, creators=[CreatorSpec(username="lampwright", images=6)])
    one = sight.truth("lampwright", 3).images[0]
    sent_on = {"fault": "status", "status": 302, "headers": {"Location": here}}
    rules = [{**sent_on, "contains": one["key"]}, {**sent_on, "path": "/api/v1/images", "contains": "sort=Newest"}]

    with spawn("--images", "6", "--ca", str(tmp_path / "ca.pem")) as sandbox:
        tell(sandbox["url"], rules)
        settings = {"HTTPS_PROXY": sandbox["proxy"], "SSL_CERT_FILE": sandbox["ca"], "RETRY_TIMES": "0"}
        done = run(SCRAPY, "crawl", "user", "-a", "username=lampwright", folder=project(tmp_path), settings=settings)

    archive = Archived(tmp_path / "output")
    [failed] = archive.rows("SELECT * FROM media WHERE state != 'stored'")
    [walk] = archive.rows("SELECT * FROM walks WHERE source != 'page.user'")
    refusal = f"leads to {here.split('/')[2]}, which is not an address of the site or its storage"
    assert callers(trap) == 0
    assert "Traceback" not in done.stderr
    assert (failed["key"], failed["state"]) == (one["key"], "failed")
    assert refusal in failed["error"]
    assert walk["state"] == "broken"
    assert refusal in walk["error"]
    assert archive.latest_report()["outcome"] == "incomplete"


def tell(url: str, rules: list[dict[str, Any]]) -> None:
    """Make a sandbox in another process go wrong."""
    body = json.dumps(rules).encode()
    with urllib.request.urlopen(f"{url}/_sandbox/faults", data=body, timeout=10) as answer:
        answer.read()


NEXT = ("http://127.0.0.1:{port}/api/v1/images?cursor=stolen", "http://169.254.169.254/latest", "file:///etc/hostname")


@pytest.mark.parametrize("where", NEXT)
async def test_a_next_page_at_another_host_is_never_asked_there(crawl, trap, dialled, where):
    sight = world(50)
    lie = Rule(fault=Fault.PAGING, field="nextPage", value=place(where, trap), path=API)

    with Sandbox(sight, faults=[lie]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK)

    assert lie.hit >= 3
    assert callers(trap) == 0
    assert elsewhere(dialled, sandbox) == set()
    assert crawled.archive.differences(sight.truth(NAME, 3)) == []
    assert crawled.outcome == "complete", crawled.report["reasons"]


@pytest.mark.parametrize("cursor", ["http://127.0.0.1:{port}/", "20|1&username=harbourmaster", "../../etc/passwd"])
async def test_a_cursor_is_a_value_and_never_an_address(crawl, trap, dialled, cursor):
    sight = world(50)
    lie = Rule(fault=Fault.PAGING, field="nextCursor", value=place(cursor, trap), path=API, contains="cursor=")

    with Sandbox(sight, faults=[lie]).in_thread() as sandbox:
        crawled = await crawl(sandbox, "user", ASK, RETRY_TIMES=1)

    assert callers(trap) == 0
    assert elsewhere(dialled, sandbox) == set()
    assert {line.path for line in sandbox.log.of("api")} == {API}
    assert {row["creator"] for row in crawled.archive.rows("SELECT creator FROM images")} == {NAME}
    assert crawled.outcome == "incomplete"


@pytest.mark.parametrize("back", [PAGE, PAGE - 1], ids=["as the site gave it", "as it was asked for"])
async def test_two_cursors_that_lead_to_each_other_break_the_walk(crawl, tmp_path, back):
    sight = world(200, levels=BOTH)
    safe = "browsingLevel=3&"

    with Sandbox(sight).in_thread() as sandbox:
        await crawl(sandbox, "user", {**ASK, "level": "all", "download": "none"}, folder=tmp_path / "before")
        [second] = [line.url for line in sandbox.log.of("api") if f"{safe}withMeta" in line.url and at(20) in line.url]
        moment = unquote(second.rpartition("cursor=")[2].partition("&")[0]).partition("|")[2]
        lie = Rule(
            fault=Fault.PAGING,
            field="nextCursor",
            value=f"{back}|{moment}",
            path=API,
            contains=f"{safe}withMeta=true&flatMeta=true&withTags=true&{at(40)}",
        )
        sandbox.faults.add(lie)
        sandbox.log.reset()
        broken = await crawl(sandbox, "user", {**ASK, "level": "all"})
        calls = len([line for line in sandbox.log.of("api") if safe in line.url])
        left = broken.archive.differences(sight.truth(NAME, 31))
        sandbox.faults.clear()
        whole = await crawl(sandbox, "user", {**ASK, "level": "all"})

    walks = broken.report["targets"][0]["walks"]
    listed = 1 + 3 * (PAGE - 1)
    between = sight.truth(NAME, 3, red=True).ids[listed:-NEWEST]
    assert between
    assert lie.hit == 1
    assert calls == (4 if back == PAGE else 5)
    assert [walk["state"] for walk in walks] == ["broken", "complete"]
    assert "a second time; the listing would never end" in walks[0]["error"]
    assert broken.outcome == "incomplete"
    assert left == [f"image {number} is missing" for number in sight.truth(NAME, 31).ids if number in between]
    assert whole.archive.differences(sight.truth(NAME, 31)) == []
    assert whole.outcome == "complete", whole.report["reasons"]


async def test_one_entry_of_somebody_else_stops_its_walk_and_brings_none_of_theirs(crawl):
    sight = world(150, levels=BOTH)
    truth = sight.truth(NAME, 31)
    safe = sight.truth(NAME, 3, red=True).ids
    foreign = Rule(fault=Fault.SET, field="username", value="harbourmaster", ids=[safe[25]], path=API)

    with Sandbox(sight, faults=[foreign]).in_thread() as sandbox:
        broken = await crawl(sandbox, "user", {**ASK, "level": "all"})
        left = broken.archive.differences(truth)
        calls = len([line for line in sandbox.log.of("api") if "browsingLevel=3&" in line.url])

    walks = broken.report["targets"][0]["walks"]
    assert calls == 3
    assert [walk["state"] for walk in walks] == ["broken", "complete"]
    assert f"asked for the works of '{NAME}', the site gave entry {safe[25]}" in walks[0]["error"]
    assert broken.outcome == "incomplete"
    assert safe[25] in safe[PAGE:-NEWEST]
    assert left == [f"image {number} is missing" for number in truth.ids if number in safe[PAGE:-NEWEST]]
