"""Models by the REST API: catalogue, single models, single versions (contract rest.md §5, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.civitai import answers, rest
from civitscrape.civitai.answers import Page
from civitscrape.exceptions import EchoError
from civitscrape.items import Image, Level, Model, ModelFile, ModelVersion, VersionImage
from civitscrape.parsers import models, showcases
from civitscrape.spiders.listings.base import (
    NEWEST,
    OLDEST,
    Listing,
    Question,
    filters_of,
    mapping,
    require_name,
    require_number,
    within_levels,
)

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from civitscrape.ledger import Walk


class RestModels(Listing):
    """``/api/v1/models``: each entry brings all versions with files and up to 20 showcase images each."""

    source = "rest.models"
    kind = "model"
    resumable = True

    def passes(self, mask: int) -> list[Level]:
        """Ask for PG alone, then for all levels: only the first pass brings what is hidden from the second."""
        # ``nsfw`` knows these two only; what is of levels not asked for is left out when it is read (rest.md §4).
        return [level for level in (Level(mask) & Level.PG, Level(mask) if mask & ~Level.PG else Level(0)) if level]

    def ask(self, site: str, walk: Walk, question: Question) -> Request:
        """Ask with all filters of the walk; archived models come, too."""
        return rest.models(
            site,
            filters_of(walk),
            nsfw=walk.level != Level.PG,
            sort=NEWEST if question.newest else str(walk.params.get("sort") or OLDEST),
            cursor=question.cursor,
            mark=question.mark,
        )

    def require_echo(self, page: Page, walk: Walk) -> None:
        """Check creator and tag: an unknown tag gives the whole catalogue (rest.md §5.1)."""
        entries = [mapping(entry) for entry in page.entries]
        names = ((one.get("id"), mapping(one.get("creator")).get("username")) for one in entries)
        require_name(walk, names, walk.params.get("username"))
        asked = walk.params.get("ids")
        for one in entries:
            if asked and one.get("id") not in asked:
                raise EchoError(
                    f"{walk.target}: the site gave model {one.get('id')}, which was not among those asked for"
                )
        tag = walk.params.get("tag")
        for one in entries:
            if tag is not None and not carries(one, str(tag)):
                raise EchoError(
                    f"{walk.target}: asked for models tagged {tag!r}, the site gave model {one.get('id')} without it; "
                    "a tag that it does not know it ignores"
                )

    def number(self, entry: Any) -> int | None:
        """Return the id of a model."""
        return models.model_id(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read a model with versions, files and showcase, as far as its levels were asked for."""
        records = list(models.from_rest(entry, site=self.site, media_url=self.media_url))
        model = next(one for one in records if isinstance(one, Model))
        if model.level and not model.level & walk.level:
            return []
        return within_levels(records, walk)


class RestModel(Listing):
    """``/api/v1/models/{id}``."""

    source = "rest.model"
    kind = "model"
    single = True
    sort = None

    def passes(self, mask: int) -> list[Level]:
        """Ask once: the model comes whatever its level, its pictures as far as their levels were asked for."""
        return [Level(mask)]

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for the model."""
        return rest.model(site, walk.params["id"])

    def open(self, response: Response, walk: Walk) -> Page:
        """Open the model, a page of one entry."""
        entry = answers.open_thing(response)
        require_number(walk, entry.get("id"), walk.params["id"])
        return Page(entries=[entry], next_cursor=None)

    def number(self, entry: Any) -> int | None:
        """Return the id of the model."""
        return models.model_id(entry)

    def keepable(self, entry: Any) -> Any:
        """Leave out generation data that its creator hid (rest.md §6.1)."""
        return showcases.keepable(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read the model with versions, files and showcase."""
        records = models.from_rest(entry, site=self.site, media_url=self.media_url)
        only = walk.params.get("version")
        return within_levels(records if only is None else of_version(records, only), walk)


class RestVersion(RestModel):
    """``/api/v1/model-versions/{id}``."""

    source = "rest.version"
    kind = "version"
    brings_files = False  # its pictures come without their creator, who gives their folder its name

    def ask(self, site: str, walk: Walk, question: Question) -> Request:  # noqa: ARG002 (there is one page)
        """Ask for the version."""
        return rest.version(site, walk.params["id"])

    def number(self, entry: Any) -> int | None:
        """Return the id of the version."""
        return models.version_id(entry)

    def read(self, entry: Any, walk: Walk) -> list[Any]:
        """Read the version with its files and showcase."""
        records = models.from_version(entry, site=self.site, media_url=self.media_url)
        return within_levels(records, walk)


def of_version(records: list[Any], number: int) -> list[Any]:
    """Keep what belongs to one version of a model, and the model itself."""
    shown = {one.image_id for one in records if isinstance(one, VersionImage) and one.version_id == number}

    def belongs(record: Any) -> bool:
        match record:
            case ModelVersion():
                return record.id == number
            case ModelFile() | VersionImage():
                return record.version_id == number
            case Image():
                return record.id in shown
        return True

    return [record for record in records if belongs(record)]


def carries(entry: dict[str, Any], tag: str) -> bool:
    """Tell whether a model carries a tag, whatever the case; a model without a list of tags may."""
    tags = entry.get("tags")
    names = [mapping(one).get("name", one) for one in tags] if isinstance(tags, list) else [tag]
    return tag.lower() in {str(name).lower() for name in names}
