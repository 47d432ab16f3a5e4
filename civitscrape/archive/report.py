"""Whether it is all there: announced, listed and stored held against each other, and an outcome with its reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import losses, schema, tally
from civitscrape.archive.losses import Loss
from civitscrape.civitai import cursors, levels
from civitscrape.civitai.media import ORIGINAL
from civitscrape.items import MediaType
from civitscrape.ledger import LOST, POSTERS, Announcement, MediaState, Outcome, Walk, WalkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

COUNTED = {"imageCount": MediaType.IMAGE, "videoCount": MediaType.VIDEO, "modelCount": "model", "postCount": "post"}
"""Announced counts that an archive can be held against, and what they count."""

KINDS = {"rest.models": "model", "trpc.model.getAll": "model", "trpc.post.getInfinite": "post"}
"""Sources that list something else than media, and what they list."""

MEDIA_SOURCES = frozenset({"rest.images", "trpc.image.getInfinite"})
"""Sources that list images and videos."""

HOW = frozenset(
    {
        "sort",
        "max_items",
        "until_known",
        "username",
        "site",
        "hashes",
        "ids",
        "id",
        "imageId",
        "meets",
        "brings",
        "covers",
        "control",
    }
)
"""Parameters that do not tell one walk of a target from another."""

TOLERATED, TOLERATED_SHARE = 3, 0.01
"""Entries, and share of the announced, that may be missing: the site's counts are kept apart from its lists."""

SOME = 5
"""Ids that a sentence names."""

NAMED_FAILURES = 100
"""Failures that a report names; the table ``media`` has them all."""


@dataclass(slots=True, kw_only=True)
class WalkReport:
    """One walk of a run."""

    id: int | None
    target: str
    source: str
    """Endpoint that it followed, such as ``rest.images``."""
    asks: str
    """What it asked for beside its target, such as ``modelVersionId=5``; empty for all there is."""
    levels: list[str]
    sort: str
    state: str
    cursor: str | None
    error: str | None
    hopeless: bool | None
    parent: int | None
    """Walk that was split into this one."""
    pages: int
    listed: int
    hidden: int
    """Pictures that were told of and left out, since their levels were not asked for."""
    refused: int
    """Entries that could not be read."""
    announced: int | None
    files: dict[str, int]
    """Files by what became of them: ``stored`` now, ``had`` before, ``gone``, ``failed``, ``refused``, ``wanted``."""


@dataclass(slots=True, kw_only=True)
class TargetReport:
    """One target of a run."""

    target: str
    exists: bool | None
    announced: dict[str, int] | None
    """Announced numbers by type, for the levels in ``announced_levels``; None when nobody told."""
    announced_levels: list[str]
    held: dict[str, int]
    """Records by type that the archive has in those same levels."""
    files: dict[str, int]
    """Files by what became of them, as in the walks; one that several walks led to is counted once."""
    gone: dict[str, int]
    """Records by kind that the site has no more and the archive keeps."""
    levels_not_asked: list[str]
    ask_with: str | None
    """Argument that asks for the levels left out."""
    reasons: list[str]
    """Why this target is not complete; empty when it is."""
    unlisted: list[int]
    """Ids that it names, or that were asked for, and that no listing brought."""
    failures: list[dict[str, Any]]
    """Files that did not come, by name; model files also where they are gone."""
    busy: str | None = None
    """Which other run is at it, where it was left to that one."""
    listed: bool = True
    """Whether it is something that listings are followed for."""
    retried: dict[str, dict[str, int]] = field(default_factory=dict)
    """Files that earlier runs left, by kind, and what became of them; ``files`` counts them, too, but for posters."""
    losses: list[Loss] = field(default_factory=list)
    """How many did not come, by the kind of their reason."""
    walks: list[WalkReport] = field(default_factory=list)


def target_report(
    connection: Connection,
    target: str,
    walks: list[Walk],
    announcement: Announcement | None,
    since: str,
    *,
    busy: str | None = None,
    quality: str = ORIGINAL,
) -> TargetReport:
    """Hold what was found of a target against what the site says of it."""
    mask = 0
    for walk in walks:
        mask |= walk.level
    told = announcement or _assumed(target, walks)
    types = {kind for walk in walks for kind in kinds_of(walk)}
    counts = {str(COUNTED[name]): number for name, number in (told.counts or {}).items() if COUNTED.get(name) in types}
    left_out = levels.names(levels.ALL & ~mask) if walks else []
    run = walks[0].run_id if walks else None
    media = tally.media_of(connection, target, mask, since, run=run, quality=quality)
    models = tally.model_files(connection, target)
    files = Counter(media) + Counter(models)
    retried = told.retried or {}
    for kind, fates in retried.items():
        if kind != POSTERS:
            files.update(fates)
    lacks = bool(files.keys() & LOST) or MediaState.GONE in models
    report = TargetReport(
        target=target,
        exists=told.exists,
        announced=counts or None,
        announced_levels=levels.names(told.level),
        held={
            kind: number for kind, number in tally.held(connection, target, told.level or mask).items() if kind in types
        },
        files=dict(files),
        gone=tally.gone(connection, target),
        levels_not_asked=left_out,
        ask_with="-a level=all" if left_out else None,
        reasons=[],
        unlisted=tally.unlisted(connection, target, walks),
        failures=[*(told.failures or []), *_failures(connection, target, mask, quality)] if lacks else [],
        losses=losses.gathered(tally.losses(connection, target, mask, quality)) if lacks else [],
        retried=retried,
        busy=busy,
        listed=told.listed,
    )
    for walk in walks:
        alone = is_alone(walk, walks)
        of_walk = (connection, target, walk.level, since, None if alone else walk.id)
        found = media if alone and walk.level == mask else tally.media_of(*of_walk, run=run, quality=quality)
        report.walks.append(_walk_report(walk, told, found))
    report.reasons = list(reasons(report, told, mask))
    return report


def _failures(connection: Connection, target: str, mask: int, quality: str) -> list[dict[str, Any]]:
    return [
        *tally.failures(connection, target, mask, NAMED_FAILURES, quality),
        *tally.model_file_failures(connection, target, NAMED_FAILURES),
    ]


def _assumed(target: str, walks: list[Walk]) -> Announcement:
    """Make up for an announcement that never came: what gave an answer is there; a creator's page alone can tell."""
    if target.startswith("user:"):
        return Announcement(target=target, exists=None, error="the profile page was not read")
    if target.startswith("hash:"):  # that the site knows no such file is an answer
        return Announcement(target=target, exists=any(walk.pages for walk in walks) or None, error="no answer")
    error = next((walk.error for walk in walks if walk.error), "the site gave nothing for it at these levels")
    return Announcement(target=target, exists=True if any(walk.entries for walk in walks) else None, error=error)


def kinds_of(walk: Walk) -> set[str]:
    """Tell what a walk lists: media types, models or posts; nothing for single things."""
    if "brings" in walk.params:  # posts that stand for their images: nobody asked for posts
        return set()
    if walk.source not in MEDIA_SOURCES:
        return {KINDS[walk.source]} if walk.source in KINDS else set()
    types = walk.params.get("types") or [walk.params.get("type")]
    return {MediaType.IMAGE, MediaType.VIDEO} if None in types else {str(one) for one in types}


def asks_of(walk: Walk) -> str:
    """Say what a walk asked for beside its target."""
    chosen = {name: value for name, value in walk.params.items() if name not in HOW and value is not None}
    words = [
        f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}" for name, value in chosen.items()
    ]
    return " ".join(words)


def is_alone(walk: Walk, walks: list[Walk]) -> bool:
    """Tell whether no other walk of the target lists the same levels."""
    return not any(other is not walk and other.level & walk.level for other in walks)


def _walk_report(walk: Walk, told: Announcement, files: dict[str, int]) -> WalkReport:
    types = kinds_of(walk)
    alike = told.counts is not None and told.level == walk.level
    counts = [number for name, number in (told.counts or {}).items() if COUNTED.get(name) in types]
    return WalkReport(
        id=walk.id,
        target=walk.target,
        source=walk.source,
        asks=asks_of(walk),
        levels=levels.names(walk.level),
        sort=str(walk.params.get("sort")),
        state=walk.state,
        cursor=walk.cursor,
        error=walk.error,
        hopeless=walk.hopeless,
        parent=walk.parent_id,
        pages=walk.pages,
        listed=walk.entries,
        hidden=walk.hidden or 0,
        refused=walk.refused or 0,
        announced=sum(counts) if alike and counts else None,
        files=files,
    )


def reasons(report: TargetReport, told: Announcement, mask: int) -> Iterable[str]:
    """Say why a target is not complete, a sentence each."""
    if told.refused:
        yield str(told.error)
        return
    if is_missing(report):
        silence = (told.error or "the site knows no such name").removeprefix(f"{report.target}: ")
        yield f"{report.target} does not exist: {silence}"
        return
    if report.busy is not None:
        yield f"{report.busy}; run the same command again when that one is done"
    elif not report.walks and told.listed:
        yield f"{report.target} was not listed: the crawl ended before it; run the same command again"
    if report.exists is None and report.busy is None and not any(walk.listed for walk in report.walks):
        silence = told.error or "its page told nothing"
        yield f"{report.target}: nothing was listed, so whether it exists is not known: {silence}"
    for walk in report.walks:
        yield from _walk_reasons(walk)
    failed = "files could not be fetched; the same command tries them again"
    yield from losses.sentences(report.losses, MediaState.FAILED, failed)
    yield from losses.sentences(report.losses, MediaState.REFUSED, "files were refused")
    if wanted := report.files.get(MediaState.WANTED):
        yield f"{wanted} files are still wanted; the same command goes on with them"
    if not told.level & ~mask:
        yield from _shortfalls(report)
    yield from _gaps(report)


def _gaps(report: TargetReport) -> Iterable[str]:
    """Say what a target itself names and no listing brought: the site sometimes answers with nothing (rest.md §7.3)."""
    media = [walk for walk in report.walks if walk.source in MEDIA_SOURCES]
    if report.target.startswith("post:") and media and not any(walk.listed for walk in media):
        yield f"{report.target} is there, but none of its images was listed; run the same command again"
    if report.unlisted:
        some = ", ".join(map(str, report.unlisted[:SOME]))
        yield f"{report.target}: {len(report.unlisted)} of what it names did not come, or not at these levels: {some}"


def _shortfalls(report: TargetReport) -> Iterable[str]:
    """Say what was announced and is not here."""
    for kind, announced in (report.announced or {}).items():
        missing = announced - report.held.get(kind, 0)
        if missing > max(TOLERATED, announced * TOLERATED_SHARE):
            hint = "; some are marked as gone, and mode=refresh asks for them again" if report.gone else ""
            yield f"the site announces {announced} {kind}s, the archive has {announced - missing} of them{hint}"


def _walk_reasons(walk: WalkReport) -> Iterable[str]:
    name = f"walk {walk.id} ({' '.join(filter(None, ('+'.join(walk.levels), walk.asks)))})"
    if walk.state == WalkState.LIMITED:
        yield f"{name} {walk.error or f'took the newest {walk.listed} entries only, as max_items asks'}"
    elif walk.state == WalkState.CAPPED:
        yield f"{name} was cut short by the site: {walk.error}"
    elif walk.state not in {WalkState.COMPLETE, WalkState.SPLIT}:
        pages = "1 page" if walk.pages == 1 else f"{walk.pages} pages"
        where = f"after {pages}" if walk.pages and walk.state == WalkState.BROKEN else "at its first page"
        where = f"at cursor {cursors.brief(walk.cursor)!r}" if walk.cursor else where
        way = "" if walk.hopeless else "; run the same command again"
        yield f"{name} is {walk.state} {where}: {walk.error or 'the crawl ended before it'}{way}"


def is_missing(report: TargetReport) -> bool:
    """Tell whether a target does not exist: the page knows nobody, and no walk found anything."""
    return report.exists is False and not any(walk.listed for walk in report.walks)


def judge(
    targets: list[TargetReport],
    *,
    refused: int,
    stopped: bool,
    error: str | None,
    lost: int = 0,
    why_lost: str | None = None,
) -> tuple[Outcome, list[str]]:
    """Give a run its outcome, and the reasons for anything but ``complete``.

    Args:
        targets: what was found of each target.
        refused: entries that could not be read.
        stopped: whether a person ended the run.
        lost: files that this run asked for and that did not come, also those that belong to none of its targets.
        why_lost: why the first of them did not.
        error: what cut the run short, when it was neither a person nor the site's last word.
    """
    found = [reason for target in targets for reason in target.reasons]
    if refused:
        found.append(f"{refused} entries could not be read; they are kept in the table payloads, with the reason")
    if lost > 0 and not any(loss.state in LOST for target in targets for loss in target.losses):
        found.append(f"{lost} files could not be fetched" + (f"; the first: {why_lost}" if why_lost else ""))
    if error is not None:
        found.append(error)
    if stopped:
        return Outcome.STOPPED, [*found, "the run was stopped; the same command goes on from here"]
    pages = sum(walk.pages for target in targets for walk in target.walks)
    left = any(target.busy or not target.listed for target in targets)
    if targets and (all(map(is_missing, targets)) or not (pages or left or not found or error)):
        return Outcome.FAILED, found
    if not targets and error is None:
        return Outcome.FAILED, [*found, "nothing was asked"]
    return (Outcome.INCOMPLETE if found else Outcome.COMPLETE), found


def build(
    connection: Connection,
    run_id: str,
    since: str,
    announcements: dict[str, Announcement],
    busy: Mapping[str, str] | None = None,
    *,
    quality: str = ORIGINAL,
) -> list[TargetReport]:
    """Report on every target of a run, and note in its walks what the site announced of them.

    Args:
        connection: inside a transaction.
        run_id: the run.
        since: when it began.
        announcements: what the site says of targets.
        busy: targets that were left to other runs, and to which.
        quality: which files it asked for: ``original``, or the renditions of this name.
    """
    others = busy or {}
    by_target: dict[str, list[Walk]] = {target: [] for target in (*announcements, *others)}
    for walk in tally.walks_of(connection, run_id):
        by_target.setdefault(walk.target, []).append(walk)
    found = [
        target_report(
            connection, target, walks, announcements.get(target), since, busy=others.get(target), quality=quality
        )
        for target, walks in by_target.items()
    ]
    reported = [one for target in found for one in target.walks if one.announced is not None]
    for one in reported:
        row = sa.update(schema.walks).where(schema.walks.c.id == one.id)
        connection.execute(row.values(announced=one.announced))
    return found


def as_json(targets: list[TargetReport]) -> list[dict[str, Any]]:
    """Turn the reports on targets into JSON values."""
    return [asdict(target) for target in targets]
