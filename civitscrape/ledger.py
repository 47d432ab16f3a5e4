"""The archive's own books: runs, walks, media, links and payloads, one dataclass a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from civitscrape.items import First, Key


class WalkState(StrEnum):
    """How far a walk has come."""

    PLANNED = "planned"
    RUNNING = "running"
    COMPLETE = "complete"
    LIMITED = "limited"
    SPLIT = "split"
    CAPPED = "capped"
    BROKEN = "broken"


class MediaState(StrEnum):
    """What became of a file."""

    WANTED = "wanted"
    STORED = "stored"
    GONE = "gone"
    FAILED = "failed"
    REFUSED = "refused"


RENDITION = "rendition"
"""Kind of a media that is a smaller picture or video than the original: a file of its own, with a key of its own."""

POSTER = "poster"
"""Kind of a media that is a still of a video; its key is that of the video with this word behind it."""


POSTERS = "posters"
"""What reports call them; they are not counted with the files of a target, since each comes beside one of those."""

LOST = frozenset({MediaState.FAILED, MediaState.REFUSED})
"""States that have a reason; where no file has one of them, none is looked for."""


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    STOPPED = "stopped"
    FAILED = "failed"


def now() -> str:
    """Tell the time as the archive writes it: UTC ISO 8601 with milliseconds and Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Link:
    """Which target led to which entry."""

    target_kind: Annotated[str, Key]
    """What was asked for: ``user``, ``model`` and so on, the spider's name."""
    target: Annotated[str, Key]
    """Name or number of the target, lower case."""
    entry_kind: Annotated[str, Key]
    """What was found: ``image``, ``model`` and so on."""
    entry_id: Annotated[int, Key]
    """Number of the entry."""
    first_seen_at: Annotated[str, First]
    """When the target first led to it, UTC ISO 8601."""
    walk_id: int | None = None
    """The last walk that met it; what a walk did not meet shows where it was cut short."""


@dataclass(slots=True, kw_only=True)
class Media:
    """One file on the CDN and what became of it."""

    key: Annotated[str, Key]
    """UUID of the original on the CDN; of a rendition or poster that with its name behind it: ``{UUID}@width=450``."""
    kind: str
    """``image``, ``video``, ``audio``, ``rendition``, ``poster`` or ``avatar``."""
    entry_id: Annotated[int | None, First] = None
    """The first entry that led to it; later ones have their own linked ``path``."""
    url: str | None = None
    """Address that it is fetched from, built from the key."""
    path: str | None = None
    """File, relative to the media store; null until it is stored."""
    sha256: str | None = None
    """SHA-256 of the bytes, lower-case hex."""
    size: int | None = None
    """Bytes."""
    content_type: str | None = None
    """Type by content, not by what the server said."""
    state: Annotated[str, First] = MediaState.WANTED
    """``wanted``, ``stored``, ``gone``, ``failed`` or ``refused``."""
    error: str | None = None
    """Why it is not stored, one sentence."""
    attempts: Annotated[int | None, First] = 0
    """How often a run gave up on it."""
    fetched_at: str | None = None
    """When it was stored, UTC ISO 8601."""
    run_id: Annotated[str | None, First] = None
    """Run that fetches it, or fetched it; another run leaves it alone as long as that one is at work."""
    phash: str | None = None
    """Perceptual hash, 16 hex digits; set when a conversion or a search for duplicates has looked at it."""
    webp_path: str | None = None
    """Converted file, relative to the media store. Where ``path`` is the same, the original was not kept; ``sha256``,
    ``size`` and ``content_type`` are the original's all the same."""
    webp_size: int | None = None
    """Bytes of the converted file."""
    webp_quality: int | None = None
    """Quality that it was converted with, 1 to 100; 100 also for no loss at all."""
    webp_sha256: str | None = None
    """SHA-256 of the converted file, lower-case hex."""
    webp_error: str | None = None
    """Why it is left as it is, of "it"; null when it is converted, or nobody tried."""
    webp_replaced: list[str] | None = None
    """Originals that the converted file has replaced and that are about to be removed, relative to the media store."""
    replaced: list[str] | None = None
    """Files that one in another format has replaced and that are about to be removed, relative to the media store."""
    untold: Annotated[dict[str, Any] | None, First] = None
    """Set while the files say less of the image than the database: empty, or the size and SHA-256 of the converted file
    that is being written anew. Null where they say everything."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One listing, followed from its first cursor to its end."""

    id: Annotated[int | None, Key] = None
    """Number of the walk."""
    run_id: str
    """Run that works, or last worked, on it."""
    parent_id: int | None = None
    """Walk that was split into this one."""
    source: str
    """Endpoint that it follows, such as ``rest.images``."""
    target: str
    """What the person asked for, such as ``user:lampwright``."""
    level: int
    """Mask of the rating bits that it asks for."""
    params: dict[str, Any]
    """What else it asks for: sort, type, host."""
    cursor: str | None = None
    """Cursor of the page that was asked for last, where an unfinished walk goes on; null for the first page."""
    pages: int = 0
    """Answers that were committed."""
    entries: int = 0
    """Entries in those answers; where pages overlap each is counted once."""
    gaps: int | None = 0
    """Borders of pages at which entries may have been skipped, since the site took others away meanwhile."""
    refused: int | None = 0
    """Entries that could not be read; the table ``payloads`` has them with the reason."""
    hidden: int | None = 0
    """Pictures that were told of and left out, since their levels were not asked for."""
    announced: int | None = None
    """Entries that the site announced for exactly these levels and types, null where nobody did."""
    state: str = WalkState.PLANNED
    """``planned``, ``running``, ``complete``, ``limited``, ``split``, ``capped`` or ``broken``."""
    error: str | None = None
    """Why it is ``capped`` or ``broken``, one sentence; of one that is ``limited``, what it left out."""
    hopeless: bool | None = None
    """Whether asking the same again cannot fare better, since the site has understood and refused."""
    started_at: str | None = None
    """When its first page was asked for, UTC ISO 8601."""
    updated_at: str | None = None
    """When the row was last written, UTC ISO 8601."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One crawl."""

    id: Annotated[str, Key]
    """Name of the run: its start in UTC and a few letters, ``20261120T183000-x7k2``."""
    spider: str
    """Name of the spider."""
    arguments: dict[str, Any]
    """Arguments of the spider as they were understood."""
    job: str | None = None
    """Number of the job that Scrapyd gave it."""
    started_at: str
    """UTC ISO 8601."""
    finished_at: str | None = None
    """UTC ISO 8601; null while it runs and after a kill."""
    outcome: str | None = None
    """``complete``, ``incomplete``, ``stopped`` or ``failed``."""
    counts: dict[str, Any] | None = None
    """Totals of the report."""
    command: str | None = None
    """Command that runs it again, without secrets."""


@dataclass(slots=True, kw_only=True)
class Payload:
    """One entry as it came, canonical JSON; a new row only when more than counters changed."""

    kind: Annotated[str, Key]
    """What it is, such as ``rest.image``."""
    entry_id: Annotated[str, Key]
    """Number or name of the entry."""
    sha256: Annotated[str, Key]
    """SHA-256 over the entry without its counters, and over why it was refused if it was; lower-case hex."""
    fetched_at: Annotated[str, First]
    """When this version was first seen, UTC ISO 8601."""
    refused: Annotated[str | None, First] = None
    """Why the entry could not be read; null for entries that became items."""
    body: Annotated[bytes, First]
    """The entry as JSON, compressed with Zstandard."""


@dataclass(slots=True, kw_only=True)
class LocalFile:
    """A file of the person's own that was hashed, so that it need not be read again."""

    path: Annotated[str, Key]
    """Absolute path."""
    size: int
    """Bytes."""
    mtime_ns: int
    """When it was last changed, nanoseconds since 1970."""
    sha256: str | None = None
    """SHA-256 of the bytes, lower-case hex."""
    hashed_at: str | None = None
    """When it was read, UTC ISO 8601."""


@dataclass(slots=True, kw_only=True)
class TakenName:
    """A name in the media store that is taken: no other thing gets it, whatever the template says."""

    name: Annotated[str, Key]
    """The path without its extension, as systems compare it that know neither case nor forms of accents."""
    path: str
    """The file, relative to the media store."""
    entry_kind: str
    """``image``; for the rendition of one its name, ``width=450``."""
    entry_id: int
    """Number of the entry that has it."""
    moved_from: str | None = None
    """Where the file lay before, while it is being moved; null once it is here."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry as it came, on its way to become a payload."""

    kind: str
    """What it is, such as ``rest.image``."""
    entry_id: str
    """Number or name of the entry."""
    content: Any
    """The entry, as JSON values."""
    refused: str | None = None
    """Why it could not be read; null when it became items."""


@dataclass(slots=True, kw_only=True)
class Vanished:
    """A thing that was asked for by its id and is not there any more, on its way to be marked."""

    kind: str
    """What it is: ``image``, ``model`` or ``post``."""
    entry_id: int
    """Number of the thing."""


@dataclass(slots=True, kw_only=True)
class Naming:
    """The name of a model version, on its way to the resources that are known by its number alone."""

    version_id: int
    """Model version."""
    name: str
    """Name of its model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Whose votes are to be asked for."""

    missing: bool = True
    """Images whose votes were never asked for."""
    before: str | None = None
    """Images whose votes were last asked for before this time, UTC ISO 8601; None for none of them."""
    usernames: tuple[str, ...] = ()
    """Images of these creators only; of all when empty."""
    without: tuple[str, ...] = ()
    """Images of these creators are left to other runs, which are asking for them."""
    target: str | None = None
    """Images that this target, such as ``user:lampwright``, has led to only."""
    pages: bool = False
    """Only images whose page shows its tags to everybody: those rated PG, and no others (trpc-and-pages §6.3)."""


@dataclass(slots=True, kw_only=True)
class Announcement:
    """What the site says of a target as a whole, for the report."""

    target: str
    """Such as ``user:lampwright``."""
    exists: bool | None
    """Whether the site knows the target; None when it could not be asked."""
    counts: dict[str, int] | None = None
    """Announced numbers by kind: ``imageCount``, ``videoCount`` and so on; None when nobody told."""
    level: int = 0
    """Mask of the rating bits that the counts cover."""
    error: str | None = None
    """Why the counts are not known, or why the target is not asked for at all."""
    refused: bool = False
    """Whether it cannot be archived, as ``error`` says."""
    listed: bool = True
    """Whether it is something that listings are followed for."""
    retried: dict[str, dict[str, int]] | None = None
    """Files that earlier runs left and that were asked for again, by kind, and what became of them."""
    failures: list[dict[str, Any]] | None = None
    """Some of those files that could not be had, with the reason."""


TABLES: dict[type, str] = {
    Link: "links",
    Media: "media",
    Walk: "walks",
    Run: "runs",
    Payload: "payloads",
    LocalFile: "local_files",
    TakenName: "taken_names",
}
"""Table of each row; outside scripts read these names."""
