"""What each spider can be told: one small typed model a spider, the source of checks, help and reference."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from civitscrape.civitai import levels, urls
from civitscrape.civitai.filters import ID_MAX
from civitscrape.exceptions import ArgumentError
from civitscrape.items import Level


def split(text: object) -> object:
    """Cut ``a,b`` into its words, each once."""
    if not isinstance(text, str):
        return text
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _usernames(text: object) -> object:
    words = split(text)
    if not isinstance(words, list) or not words:
        raise ArgumentError("spider argument username: give one, as in: scrapy crawl user -a username=NAME")
    names = {urls.username(str(word)).lower(): urls.username(str(word)) for word in words}
    return list(names.values())


def _level(text: object) -> object:
    return levels.parse(text) if isinstance(text, str) else text


def numbers(text: object) -> object:
    """Read ids with commas, each once."""
    words = split(text)
    if isinstance(words, list):
        for word in words:
            if not re.fullmatch(r"[1-9][0-9]{0,9}", str(word)) or int(word) > ID_MAX:
                raise ValueError(f"{word!r} is no id; ids are whole numbers from 1 to {ID_MAX}")
    return words


def yes_or_no(text: object) -> object:
    """Read ``yes`` and ``no`` as well as ``true`` and ``false``."""
    return (
        {"yes": True, "no": False, "true": True, "false": False}.get(text.lower(), text)
        if isinstance(text, str)
        else text
    )


def file_size(text: object) -> object:
    """Read a number of bytes, with a unit or without.

    >>> file_size("500MB"), file_size("1.5 GiB"), file_size("20000")
    (500000000, 1610612736, 20000)
    """
    if not isinstance(text, str):
        return text
    found = re.fullmatch(
        r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(?:([kmgt]?)(i?)b)?", text.strip(), re.IGNORECASE | re.ASCII
    )
    if found is None:
        raise ValueError("give a number of bytes, as in 500MB, 1.5GiB or 20000")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index((found[2] or " ").lower()))


AGES = {"h": "hours", "d": "days", "w": "weeks"}


def moment(text: object) -> object:
    """Read a date, a time, or an age, as UTC ISO 8601; times without a zone are UTC.

    >>> moment("2026-05-01"), moment("2026-05-01T12:00:00+02:00")
    ('2026-05-01T00:00:00.000Z', '2026-05-01T10:00:00.000Z')
    """
    if not isinstance(text, str):
        return text
    age = re.fullmatch(r"([0-9]{1,5})([hdw])", text.strip())
    try:
        if age is not None:
            told = datetime.now(UTC) - timedelta(**{AGES[age[2]]: int(age[1])})
        else:
            told = datetime.fromisoformat(text.strip())
            told = told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("give a date, as in 2026-05-01, or an age, as in 12h, 30d or 8w") from None
    return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[str | None, BeforeValidator(moment)]
"""A date, or an age."""

Numbers = Annotated[list[int], BeforeValidator(numbers), Field(min_length=1)]
"""Ids, with commas."""

Words = Annotated[list[str], BeforeValidator(split), Field(min_length=1)]
"""Words, with commas."""

Flag = Annotated[bool, BeforeValidator(yes_or_no)]
"""``yes`` or ``no``."""


Usernames = Annotated[list[str], BeforeValidator(_usernames), Field(min_length=1)]
"""Usernames or addresses of profiles, with commas."""


class Arguments(BaseModel):
    """What every spider has: checks, and errors that name the culprit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spider: ClassVar[str]

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Self:
        """Check what a person typed.

        Raises:
            ArgumentError: one sentence about the first thing that is wrong.
        """
        unknown = [name for name in typed if name not in cls.model_fields]
        if unknown:
            nearest = difflib.get_close_matches(unknown[0], cls.model_fields, n=1, cutoff=0.4)
            hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(cls.model_fields)}"
            raise ArgumentError(f"spider argument {unknown[0]}: {cls.spider} does not know it; {hint}")
        try:
            return cls.model_validate(typed)
        except ValidationError as error:
            raise ArgumentError(cls._sentence(error)) from error

    @classmethod
    def _sentence(cls, error: ValidationError) -> str:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        if first["type"] == "missing":
            return f"spider argument {name}: missing; as in: scrapy crawl {cls.spider} -a {name}=…"
        said = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        return f"spider argument {name}: {first['input']!r}: {said[:1].lower()}{said[1:]}"


class WalkArguments(Arguments):
    """What spiders have in common that walk listings."""

    mode: Literal["all", "new", "refresh"] = Field(
        default="all",
        description="`all` follows each listing from its first page to its end; `new` starts at the newest end and "
        "stops after a page that holds nothing new (a target never walked to its end is walked as with `all`); "
        "`refresh` brings all records anew without files, asks by its id for what is not listed any more, and marks "
        "what is gone.",
    )
    max_items: int | None = Field(
        default=None,
        ge=1,
        description="Take at most this many of the newest entries in each pass over levels (`level=all` makes two); "
        "the walk then ends `limited` and the run is never called complete.",
    )


class MediaArguments(WalkArguments):
    """What spiders have in common that bring files."""

    level: Annotated[Level, BeforeValidator(_level)] = Field(
        default=levels.SFW,
        description="Rating levels to archive: `sfw` (PG and PG-13), `all`, or names with commas: `pg`, `pg13`, `r`, "
        "`x`, `xxx`.",
    )
    download: Literal["original", "none"] = Field(
        default="original", description="`original` fetches the bytes as uploaded, `none` keeps to records."
    )
    quality: Literal[
        "original", "width=96", "width=320", "width=450", "width=512", "width=800", "width=1200", "width=1600"
    ] = Field(
        default="original",
        description="`original` fetches the bytes as uploaded; `width=450` and the other widths fetch the site's "
        "smaller rendition instead, into a folder of its own (`media/width-450/…`), beside the originals and never "
        "in their place.",
    )
    posters: Literal["no", "yes"] = Field(
        default="no",
        description="`yes` fetches beside each video that is stored its poster, the still that the site shows of it "
        "(`{name}.poster.jpeg`); those of videos that are here already come when a listing brings them again.",
    )
    votes: Literal["no", "yes", "browser"] = Field(
        default="no",
        description="`no` brings the tags alone; `yes` brings votes with them, from the site's own feed (200 images a "
        "call), and needs a key or cookies; `browser` is for those who have neither: it opens the page of each image "
        "rated PG, once all else is done, and reads the scores.",
    )
    max_file_size: Annotated[int | None, BeforeValidator(file_size)] = Field(
        default=None,
        ge=1,
        description="Leave out files that are larger: a number of bytes, or with a unit, `500MB`, `1.5GiB`. Their "
        "records are kept; they are `refused` with this argument's name, and a run without it fetches them.",
    )
    since: Moment = Field(
        default=None,
        description="Keep only entries published at this time or later: a date (UTC), `2026-05-01`, or an age, `30d`, "
        "`12h`, `8w`. The walk begins at the newest end, stops after a page that is older, and ends `limited`.",
    )
    until: Moment = Field(
        default=None,
        description="Keep only entries published before this time, given as for `since`; the walk ends `limited`.",
    )
    redownload: Literal["no", "yes"] = Field(
        default="no", description="`yes` fetches files again that the archive already has."
    )


class VersionsArguments(MediaArguments):
    """What ``model`` and ``version`` have in common."""

    content: Annotated[list[Literal["showcase", "gallery", "files"]], BeforeValidator(split), Field(min_length=1)] = (
        Field(
            default=["showcase"],
            description="What to bring beside the records: `showcase` (the creator's own pictures), `gallery` "
            "(everybody's), `files` (the model files themselves).",
        )
    )


class UserArguments(MediaArguments):
    """Arguments of ``scrapy crawl user``."""

    spider: ClassVar[str] = "user"

    username: Usernames = Field(description="Whose works: a username or a profile's address, several with commas.")
    content: Annotated[
        list[Literal["images", "videos", "posts", "models", "collections", "files"]],
        BeforeValidator(split),
        Field(min_length=1),
    ] = Field(
        default=["images", "videos"],
        description="What to archive: `images`, `videos`, `posts`, `models` (records without their gigabytes), "
        "`collections`, `files` (models with their files).",
    )
