"""Fetch the model files that are wanted, and put them into the store when they are what their record says."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from civitscrape.archive import paths, shelf
from civitscrape.civitai import answers
from civitscrape.civitai.answers import NO_ANSWER
from civitscrape.civitai.roles import Role, stamp
from civitscrape.downloads.downloader import STOPPED
from civitscrape.downloads.response import FileResponse
from civitscrape.exceptions import ArchiveError, ForbiddenError
from civitscrape.extensions.books import Books
from civitscrape.items import ModelFile
from civitscrape.ledger import MediaState
from civitscrape.pipelines.media import Media

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Response
    from scrapy.pipelines.media import MediaPipeline

TEMPLATE = "models/{version_id}/{id}-{name}{ext}"
"""Path of a model file inside the store: its own name, behind the number that makes it one of a kind."""


class Files(Media):
    """Model files by their address on the site, which sends on to a signed one of its storage (rest.md §9)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fates: dict[int, dict[str, Any]] = {}

    def get_media_requests(self, item: Any, info: MediaPipeline.SpiderInfo) -> list[Request]:  # noqa: ARG002 (Scrapy's signature)
        """Ask for a model file that is wanted."""
        if not self.crawler.crawling or not isinstance(item, ModelFile) or item.state != MediaState.WANTED:
            return []
        url = item.download_url or ""
        meta = stamp(Role.API, url)
        meta["download_to"] = str(paths.part_path(self._store, f"file-{item.id}"))
        return [Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True)]

    async def media_downloaded(
        self,
        response: Response,
        request: Request,
        info: MediaPipeline.SpiderInfo,  # noqa: ARG002 (Scrapy's signature)
        *,
        item: Any = None,
    ) -> Any:
        """Tell what came: the file that the record speaks of, or why there is none."""
        return {"url": request.url, "path": "", **fate(response, item)}

    async def process_item(self, item: Any) -> Any:  # type: ignore[override]  # as in Media: no spider argument
        """Fetch what is wanted, put it into the store and book what became of it."""
        item = await super().process_item(item)
        found = self._fates.pop(item.id, None) if isinstance(item, ModelFile) else None
        if found is not None:
            await self._book(item, found)
            self.inc_stats(found["status"])
        return item

    def item_completed(self, results: list[Any], item: Any, info: MediaPipeline.SpiderInfo) -> Any:  # noqa: ARG002 (Scrapy's signature)
        """Note what came for a model file."""
        for fetched, result in results:
            self._fates[item.id] = (
                dict(result) if fetched else {"status": MediaState.FAILED, "error": str(result.value)}
            )
        return item

    async def _book(self, file: ModelFile, found: dict[str, Any]) -> None:
        file.state, file.error = found["status"], found.get("error")
        path = name_of(file) if file.state == MediaState.STORED else None
        booked = shelf.Fate(
            image_id=file.id, key="", state=file.state, path=path, part=found.get("part"), error=file.error
        )
        books = Books.of(self.crawler)
        try:
            await books.archive.run(shelf.shelve_file, self._store, booked)
        except ArchiveError as error:
            books.stop(error)
            file.state = MediaState.FAILED
        else:
            file.path = path or file.path
            self.crawler.stats.inc_value("civitscrape/bytes", found.get("size", 0))


def fate(response: Response, file: ModelFile) -> Mapping[str, Any]:
    """Tell what became of a download, in the words of the table ``model_files``."""
    if response.status == NO_ANSWER and response.body == STOPPED.encode():
        return {"status": MediaState.WANTED}
    if not isinstance(response, FileResponse):
        error = answers.refusal(response)
        if response.status in {404, 410}:
            return {"status": MediaState.GONE, "error": str(error)}
        state = MediaState.REFUSED if isinstance(error, ForbiddenError) else MediaState.FAILED
        return {"status": state, "error": str(error)}
    flaw = _flaw(response, file)
    if flaw is not None:
        Path(response.path).unlink(missing_ok=True)
        return {"status": MediaState.FAILED, "error": flaw}
    return {"status": MediaState.STORED, "part": response.path, "checksum": response.sha256, "size": response.size}


def _flaw(response: FileResponse, file: ModelFile) -> str | None:
    """Say why what came is not the file; None when it is."""
    if file.sha256 is not None and response.sha256 != file.sha256:
        return f"{response.size} bytes came whose SHA-256 is {response.sha256}, not {file.sha256}"
    if response.head.lstrip()[:1] == b"<":
        return f"{response.size} bytes came that are a page, not a model file"
    return None


def name_of(file: ModelFile) -> str:
    """Make the path of a model file inside the store.

    >>> name_of(ModelFile(id=31, version_id=29, name="lantern_v20.safetensors"))
    'models/29/31-lantern_v20.safetensors'
    """
    name = PurePosixPath((file.name or "").replace("\\", "/")).name
    stem, dot, suffix = name.rpartition(".")
    fields = {
        "id": file.id,
        "version_id": file.version_id,
        "name": stem if dot else name,
        "ext": f".{suffix}" if dot else "",
    }
    return paths.render(TEMPLATE, fields)
