"""`civitscrape …`: the commands, and what happens when one fails."""

from __future__ import annotations

import sys

import typer

from civitscrape.commands.convert import convert
from civitscrape.commands.demo import demo
from civitscrape.commands.duplicates import duplicates
from civitscrape.commands.get import get
from civitscrape.commands.plan import plan
from civitscrape.commands.report import report
from civitscrape.commands.retry import retry
from civitscrape.commands.sandbox import sandbox
from civitscrape.commands.scrapyd import scrapyd
from civitscrape.commands.verify import verify
from civitscrape.commands.votes import votes
from civitscrape.exceptions import CivitscrapeError

app = typer.Typer(
    help="Archive Civitai: records, prompts, tags and originals, with the proof that it is all there.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(get)
app.command()(report)
app.command()(retry)
app.command()(verify)
app.command()(plan)
app.command()(convert)
app.command()(duplicates)
app.command()(demo)
app.command("sandbox")(sandbox)
app.command("scrapyd")(scrapyd)
app.command("votes")(votes)


def main() -> None:
    """Run a command; an error of ours is one line on standard error, and exit code 1."""
    try:
        app()
    except CivitscrapeError as error:
        sys.stderr.write(f"civitscrape: {error}\n")
        sys.exit(1)
