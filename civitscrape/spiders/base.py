"""What all spiders share: arguments that are checked before anything else, and the books."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar

from scrapy import Spider

from civitscrape.extensions.books import Books
from civitscrape.spiders.arguments import Arguments  # noqa: TC001 (part of the class's public face)


class CivitaiSpider(Spider):
    """A spider that checks its arguments before anything else."""

    arguments: ClassVar[type[Arguments]]

    def __init__(self, _job: str | None = None, **typed: Any) -> None:
        """Check the arguments; ``_job`` is what Scrapyd calls the crawl."""
        super().__init__()
        self.args = self.arguments.read(typed)
        self._typed = typed
        self._job = _job

    def describe(self) -> dict[str, Any]:
        """Tell what was asked, for the row of the run; never a setting, since a setting may be secret."""
        words = [f"-a {name}={shlex.quote(str(value))}" for name, value in self._typed.items()]
        command = " ".join(["scrapy crawl", self.name, *words])
        return {"arguments": self.args.model_dump(mode="json"), "job": self._job, "command": command}

    @property
    def books(self) -> Books:
        """The archive and the run."""
        return Books.of(self.crawler)
