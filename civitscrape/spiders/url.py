"""Anything that a person pastes, sent to the spider that archives it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from scrapy.spiderloader import get_spider_loader

from civitscrape.civitai import urls
from civitscrape.civitai.urls import Target
from civitscrape.exceptions import ArgumentError
from civitscrape.ledger import Announcement
from civitscrape.spiders.arguments import MediaArguments
from civitscrape.spiders.base import CivitaiSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping


SEVERAL = {
    "image": "image_id",
    "post": "post_id",
    "model": "model_id",
    "version": "version_id",
    "collection": "collection_id",
    "user": "username",
    "hash": "sha256",
}
"""Spiders that take several things at once, and the argument that names them."""

MOST = 400
"""Things that one spider is sent to at once."""

COMMENT = re.compile(r"(?:^|\s+)#.*")
"""A comment in a list; within an address a `#` begins a fragment."""


def _words(text: object) -> object:
    """Cut at white space only: filters in an address may hold commas."""
    return list(dict.fromkeys(text.split())) if isinstance(text, str) else text


class UrlArguments(MediaArguments):
    """Arguments of ``scrapy crawl url``."""

    spider: ClassVar[str] = "url"

    url: Annotated[list[str] | None, BeforeValidator(_words)] = Field(
        default=None, description="Addresses, AIR urns, hashes or usernames, several with spaces."
    )
    content: str | None = Field(
        default=None,
        description="What to bring, in the words of the spiders that it sends to, such as `files` of models.",
    )
    file: str | None = Field(
        default=None,
        description="A text file with one of these a line; `#` begins a comment, after a space or at a line's start.",
    )

    @classmethod
    def read(cls, typed: dict[str, Any]) -> Any:
        """Check that there is something, and that the file can be read."""
        read = super().read(typed)
        if not read.pasted():
            raise ArgumentError("spider url: give addresses with -a url=… or a list of them with -a file=…")
        return read

    def pasted(self) -> list[str]:
        """Return all that was pasted, each once.

        Raises:
            ArgumentError: the file cannot be read.
        """
        found = list(self.url or [])
        if self.file is not None:
            try:
                lines = Path(self.file).expanduser().read_text("utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ArgumentError(f"spider argument file: {self.file!r} cannot be read: {error}") from error
            found += [COMMENT.sub("", line).strip() for line in lines]
        return list(dict.fromkeys(filter(None, found)))


class UrlSpider(CivitaiSpider):
    """Archive whatever addresses point at; what cannot be archived is named with the reason, and the rest goes on."""

    name = "url"
    arguments = UrlArguments
    args: UrlArguments
    calls = "those of the spiders that it sends to"
    needs = "what the spiders need that it sends to"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: set[str] = set()

    async def start(self) -> AsyncIterator[Any]:
        """Let the spider of each kind of target ask for all of them, in the order in which they were pasted."""
        found: dict[Target, str] = {}
        hosts, media_url = self._hosts, self.settings["CIVITAI_MEDIA_URL"]
        for text in self.args.pasted():
            try:
                found.setdefault(urls.target(text, hosts=hosts, media_url=media_url), text)
            except ArgumentError as error:
                for said in self._refuse(text, str(error)):
                    yield said
        for group in gathered(found):
            for one in self._spiders({target: found[target] for target in group}):
                if isinstance(one, Announcement):
                    yield one
                    continue
                async for step in one.start():
                    yield step

    def _spiders(self, group: Mapping[Target, str]) -> Iterator[CivitaiSpider | Announcement]:
        """Make one spider of several targets; where one of them is wrong, one of each, and a refusal of that."""
        try:
            spider = self.spider_for(merged(group))
        except ArgumentError as error:
            if len(group) == 1:
                (text,) = group.values()
                yield from self._refuse(text, f"{urls.shown(text)}: {error}")
            else:
                for target, text in group.items():
                    yield from self._spiders({target: text})
        else:
            yield spider

    def _refuse(self, text: str, reason: str) -> Iterator[Announcement]:
        """Say once why something is not archived, and let the rest go on."""
        target = f"url:{urls.masked(text)}"
        if target not in self._told:
            self._told.add(target)
            self.logger.error("%s", reason)
            yield Announcement(target=target, exists=None, error=reason, refused=True)

    def spider_for(self, target: Target) -> CivitaiSpider:
        """Make the spider of a target, with what it shares of this one's arguments.

        Raises:
            ArgumentError: the target's own arguments are wrong.
        """
        spider_class = get_spider_loader(self.settings).load(target.spider)
        if not issubclass(spider_class, CivitaiSpider):
            raise ArgumentError(f"there is no spider {target.spider!r}")
        shared = self.args.model_fields_set & spider_class.arguments.model_fields.keys()
        typed = {name: value for name, value in self._typed.items() if name in shared}
        return spider_class.from_crawler(self.crawler, **{**typed, **target.arguments})

    @property
    def _hosts(self) -> frozenset[str]:
        """Hosts whose addresses are taken: the site's, and those that the settings name."""
        named = (urlsplit(self.settings[name]).netloc for name in ("CIVITAI_URL", "CIVITAI_MATURE_URL"))
        return urls.SITES | frozenset(named)


def gathered(targets: Iterable[Target]) -> Iterator[list[Target]]:
    """Group the targets that one spider can be sent to at once, in the order of the first of each group.

    >>> one, two = Target("image", {"image_id": "1"}), Target("image", {"image_id": "2"})
    >>> list(gathered([one, Target("tag", {"tag": "a"}), two])) == [[one, two], [Target("tag", {"tag": "a"})]]
    True
    """
    groups: dict[object, list[Target]] = {}
    for target in targets:
        name = SEVERAL.get(target.spider)
        rest = frozenset((key, value) for key, value in target.arguments.items() if key != name)
        groups.setdefault((target.spider, rest) if name in target.arguments else target, []).append(target)
    for group in groups.values():
        yield from (group[start : start + MOST] for start in range(0, len(group), MOST))


def merged(group: Iterable[Target]) -> Target:
    """Make one target of a group.

    >>> merged([Target("image", {"image_id": "1"}), Target("image", {"image_id": "2"})])
    Target(spider='image', arguments={'image_id': '1,2'})
    """
    first, *others = group
    if not others:
        return first
    name = SEVERAL[first.spider]
    return Target(first.spider, {**first.arguments, name: ",".join(one.arguments[name] for one in (first, *others))})
