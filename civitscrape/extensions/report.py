"""The report of a run: written to ``reports/{run}.json``, printed as a table, kept with the run."""

from __future__ import annotations

import json
import logging
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from scrapy import signals

from civitscrape.archive import converter, losses
from civitscrape.archive import report as reports
from civitscrape.archive.converter import Tally
from civitscrape.archive.losses import Loss
from civitscrape.civitai.media import ORIGINAL
from civitscrape.exceptions import ArchiveError
from civitscrape.extensions.books import KEPT, Books
from civitscrape.extensions.feeds import Feeds
from civitscrape.ledger import MediaState, Outcome, WalkState, now

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy import Spider
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

COUNTS = {
    "listed": "civitscrape/listed",
    "known": "civitscrape/known",
    "stored": "civitscrape/files_stored",
    "already_had": "civitscrape/already_stored",
    "gone": "civitscrape/files_gone",
    "failed": "civitscrape/files_failed",
    "refused": "civitscrape/refused",
    "bytes": "civitscrape/bytes",
}
"""Totals of a report, and the counters they are read from."""

LISTINGS = {
    "rest.images": "",
    "rest.models": "models",
    "rest.model": "the model",
    "rest.version": "the version",
    "rest.image": "the image",
    "rest.by-hash-ids": "which are known",
    "rest.by-hash": "the versions",
    "rest.by-one-hash": "the version",
    "rest.creators": "",
    "rest.tags": "",
    "page.image": "its page",
    "page.post": "its page",
    "page.tag": "its page",
    "trpc.image.getInfinite": "with votes",
    "trpc.image.get": "by id",
    "trpc.post.get": "texts of posts",
    "trpc.post.getInfinite": "posts",
    "trpc.collection.getInfinite": "collections",
    "trpc.collection.getById": "the collection",
    "trpc.collection.getAllCollectionItems": "its order",
    "trpc.modelVersion.getVersionsByIds": "names of models",
    "rest.images-by-id": "not listed any more",
    "trpc.images-by-id": "not listed any more",
    "rest.models-by-id": "models not listed any more",
    "trpc.posts-by-id": "posts not listed any more",
    "trpc.tag.getVotableTags": "votes",
    "browser.image": "votes by browser",
}
"""How a report calls what a walk followed; nothing for what is usual."""

CONVERTED = ("converted", "before", "after", "removed", "left")
"""What a report says of pictures that became WebP, in runs that convert."""

STYLES = {Outcome.COMPLETE: "bold green", Outcome.INCOMPLETE: "bold yellow", Outcome.STOPPED: "bold yellow"}


class Report:
    """Judges a run at its end."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.outcome: Outcome | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Wait for the end."""
        report = cls(crawler)
        crawler.signals.connect(report.close, signal=signals.spider_closed)
        return report

    async def close(self, spider: Spider, reason: str) -> None:  # noqa: ARG002 (the signal's arguments)
        """Judge, write, print."""
        books, stats = Books.of(self._crawler), self._crawler.stats
        feeds = self._crawler.get_extension(Feeds)
        if feeds is not None:
            feeds.flush()
        build = partial(
            reports.build,
            run_id=books.run.id,
            since=books.run.started_at,
            announcements=books.announcements,
            busy=books.busy,
            quality=books.run.arguments.get("quality", ORIGINAL),
        )
        targets = []
        try:
            targets = await books.archive.run(build)
        except ArchiveError as error:
            books.stop(error)
        counts = {name: stats.get_value(counter, 0) for name, counter in COUNTS.items()}
        self.outcome, why = reports.judge(
            targets,
            refused=counts["refused"],
            lost=counts["failed"] + stats.get_value("civitscrape/files_refused", 0) - stats.get_value(KEPT.counter, 0),
            why_lost=books.lost,
            stopped=reason == "shutdown" and books.error is None,
            error=books.error or stats.get_value("civitscrape/postponed"),
        )
        why += books.left_out
        if books.left_out and self.outcome is Outcome.COMPLETE:
            self.outcome = Outcome.INCOMPLETE
        roles = {role: stats.get_value(f"civitscrape/requests_{role}", 0) for role in ("api", "page", "media")}
        content = {
            "run": books.run.id,
            "spider": books.run.spider,
            "arguments": books.run.arguments,
            "command": books.run.command,
            "started_at": books.run.started_at,
            "finished_at": now(),
            "outcome": self.outcome,
            "reasons": why,
            "counts": counts,
            "requests": roles,
            "targets": reports.as_json(targets),
            "paths": self._paths(books),
        }
        if books.webp is not None:
            content["webp"] = {name: getattr(books.webp, name) for name in CONVERTED}
        show(content, Console(stderr=True))
        try:
            write(books.folder / "reports" / f"{books.run.id}.json", content)
            await books.finish(self.outcome, counts)
        except (ArchiveError, OSError) as error:
            logger.error("the report was shown, but could not be written: %s", error)  # noqa: TRY400 (one line)

    def _paths(self, books: Books) -> dict[str, str]:
        settings = self._crawler.settings
        address = sa.make_url(settings["DATABASE_URL"])
        database = address.database if address.drivername == "sqlite" else address.render_as_string()
        return {
            "database": str(database),
            "media": settings["MEDIA_STORE"],
            "feeds": str(books.folder / "feeds" / books.run.spider),
            "report": str(books.folder / "reports" / f"{books.run.id}.json"),
            "log": str(books.folder / "logs" / f"{books.run.id}.log"),
        }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a report, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.part")
    try:
        fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(path)
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def show(content: dict[str, Any], console: Console) -> None:
    """Print a report as people read it."""
    table = Table(title=f"Run {content['run']}", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("walk", overflow="fold")
    for name in ("announced", "listed", "stored", "had", "gone", "hidden", "refused", "failed"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    table.add_column("state", no_wrap=True, min_width=len(WalkState.COMPLETE))
    for target in content["targets"]:
        for walk in target["walks"]:
            table.add_row(*_row(walk))
        for kind, files in target.get("retried", {}).items():
            table.add_row(*_row_of_retried(kind, files))
    console.print(table)
    lines = dict.fromkeys(line for target in content["targets"] for line in _notes(target))
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False, emoji=False)
    counts, requests = content["counts"], content["requests"]
    console.print(
        f"{counts['listed']} entries, {counts['stored']} new files ({decimal(counts['bytes'])}); "
        f"{requests['api']} API calls, {requests['page']} pages, {requests['media']} media requests",
        highlight=False,
    )
    if "webp" in content:
        tally = Tally(**content["webp"] | {"left": Counter(content["webp"]["left"])})
        for line in converter.said(tally):
            console.print(f"WebP: {escape(line)}", soft_wrap=True, highlight=False, emoji=False)
    for name, path in content["paths"].items():
        console.print(f"  {name:<9}{escape(path)}", soft_wrap=True, highlight=False)
    outcome = Outcome(content["outcome"])
    console.print(f"outcome: [{STYLES.get(outcome, 'bold red')}]{outcome}[/]")
    for reason in content["reasons"]:
        console.print(f"  - {escape(reason)}", soft_wrap=True, highlight=False, emoji=False)


def _row(walk: dict[str, Any]) -> list[str]:
    files = walk["files"]
    announced = "unknown" if walk["announced"] is None else str(walk["announced"])
    refused = walk.get("refused", 0) + files.get("refused", 0)
    fates = [files.get(fate, 0) for fate in ("stored", "had", "gone")]
    numbers = [announced, walk["listed"], *fates, walk.get("hidden", 0), refused, files.get("failed", 0)]
    target = walk["target"].partition(":")[2]
    half = "from the newest end" if walk.get("parent") and walk["sort"] == "Newest" else ""
    listing = " ".join(filter(None, (LISTINGS.get(walk["source"], walk["source"]), walk["asks"], half)))
    name = f"{target} {'+'.join(walk['levels'])}" + (f"\n  {listing}" if listing else "")
    return [escape(name), *map(str, numbers), walk["state"]]


def _row_of_retried(kind: str, files: dict[str, int]) -> list[str]:
    """Tell of the files that earlier runs left, in the columns of walks."""
    fates = [files.get(fate, 0) for fate in ("stored", "had", "gone")]
    numbers = ["", sum(files.values()), *fates, 0, files.get("refused", 0), files.get("failed", 0)]
    whole = not files.keys() & {"failed", "refused", "wanted"}
    return [f"{escape(kind)}\n  left before", *map(str, numbers), WalkState.COMPLETE if whole else WalkState.BROKEN]


def _notes(target: dict[str, Any]) -> list[str]:
    """Say of a target what does not fit into the table."""
    lines = []
    if target["announced"] is not None:
        levels = "+".join(target["announced_levels"])
        pairs = [
            f"{number} {kind}s ({target['held'].get(kind, 0)} here)" for kind, number in target["announced"].items()
        ]
        lines.append(f"{target['target']}: the site announces {', '.join(pairs)} rated {levels}")
    elif target["exists"] is not False and target["target"].startswith("user:"):
        lines.append(f"{target['target']}: what the site announces is unknown")
    if target.get("gone"):
        kept = ", ".join(f"{number} {kind}s" for kind, number in target["gone"].items())
        lines.append(f"{target['target']}: {kept} here that the site has no more")
    lost = [Loss(**one) for one in target.get("losses", ())]
    gone = losses.sentences(lost, MediaState.GONE, "model files that the site has no more")
    lines += [f"{target['target']}: {line}" for line in gone]
    if target["levels_not_asked"]:
        lines.append(f"not asked: {', '.join(target['levels_not_asked'])} ({target['ask_with']} asks for them)")
    return lines
