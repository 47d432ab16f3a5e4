"""The archive that a command's settings lead to, for commands that look at what is there and make nothing new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from civitscrape.addons import resolve
from civitscrape.archive import presence
from civitscrape.archive.database import Archive
from civitscrape.archive.verify import rows
from civitscrape.commands.crawling import project_settings
from civitscrape.commands.get import pairs
from civitscrape.exceptions import ArchiveError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings, Settings


def settings_of(words: list[str] | None) -> Settings:
    """Read the project's settings, with those of ``-s`` on top, and work out what follows from them.

    Raises:
        ArgumentError: a word or a setting makes no sense.
    """
    settings = project_settings(pairs(words or [], "-s"))
    resolve(settings)
    return settings


def archive_of(settings: Settings) -> Archive:
    """Open the archive of resolved settings.

    Raises:
        ArchiveError: there is none, or it cannot be opened.
    """
    url = settings["DATABASE_URL"]
    if url.startswith("sqlite"):
        file = sa.make_url(url).database
        if file and not Path(file).is_file():
            raise ArchiveError(f"there is no archive at {file}; -s OUTPUT_DIR=FOLDER names the folder of one")
    return Archive(url)


def store_of(settings: BaseSettings, archive: Archive) -> Path:
    """Name the folder of the media, which must be there if rows name files in it: else its disk is not mounted.

    Raises:
        ArchiveError: it is not there, or has nothing of what rows name.
    """
    store = Path(settings["MEDIA_STORE"])
    if not store.is_dir() and (number := archive.run_now(rows.count, None)):
        raise ArchiveError(
            f"setting MEDIA_STORE: {str(store)!r} is not there, and {number} rows name files in it; is its disk "
            "mounted?"
        )
    archive.run_now(presence.require, store)
    return store
