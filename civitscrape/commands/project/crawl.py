"""`scrapy crawl`, which here checks arguments, settings and folders first, and says in one line what is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.commands import crawl

from civitscrape.addons import quiet
from civitscrape.commands.crawling import check, outcome_of
from civitscrape.exceptions import CivitscrapeError
from civitscrape.ledger import Outcome

if TYPE_CHECKING:
    import argparse


class Command(crawl.Command):
    """Scrapy's command with checks before and an exit code after."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read the options, and keep Scrapy's banner out of the way of what we have to say."""
        super().process_options(args, opts)
        if self.settings is not None:
            quiet(self.settings)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl; exit code 1 for wrong input and for a crawl that failed."""
        if len(args) != 1 or self.settings is None or self.crawler_process is None:
            super().run(args, opts)
            return
        try:
            check(args[0], opts.spargs, self.settings)
        except CivitscrapeError as error:
            sys.stderr.write(f"civitscrape: {error}\n")
            self.exitcode = 1
            return
        crawler = self._create_crawler(args[0])
        self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        if self.crawler_process.bootstrap_failed or outcome_of(crawler) is Outcome.FAILED:
            self.exitcode = 1
