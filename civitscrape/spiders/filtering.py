"""Arguments that are the site's own filters, made from the tables of ``civitai.filters``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, create_model

from civitscrape.civitai import filters
from civitscrape.spiders.arguments import Flag, Numbers, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

Made = TypeVar("Made", bound=BaseModel)


def with_filters(name: str, base: type[Made], table: Mapping[str, str]) -> type[Made]:
    """Make an argument model that has a filter for each line of a table, beside what its base has.

    Args:
        name: name of the new class.
        base: what it is built on; an argument that it has already stays as it is.
        table: argument → name on the site.
    """
    fields: dict[str, Any] = {
        ours: (kind_of(ours) | None, Field(default=None, description=f"The site's filter `{theirs}`."))
        for ours, theirs in table.items()
        if ours not in base.model_fields
    }
    return create_model(name, __base__=base, __doc__=base.__doc__, **fields)


def kind_of(ours: str) -> Any:
    """Tell what a filter takes."""
    several = ours in filters.LISTS
    if ours in filters.NUMBERS:
        return Numbers if several else int
    if ours in filters.FLAGS | filters.CHOICES:
        return Flag
    return Words if several else str


def asked(arguments: BaseModel, table: Mapping[str, str]) -> dict[str, Any]:
    """Turn the filters that were typed into what the site is asked, under its own names."""
    typed = {theirs: getattr(arguments, ours) for ours, theirs in table.items()}
    return {name: value for name, value in typed.items() if value is not None}


def named(kind: str, chosen: Mapping[str, Any]) -> str:
    """Name the target of a walk by its filters.

    >>> named("images", {"tags": [4, 5], "sort": "Newest"})
    'images:sort=Newest&tags=4,5'
    >>> named("models", {})
    'models:all'
    """
    words = [
        f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in sorted(chosen.items())
    ]
    return f"{kind}:{'&'.join(words) or 'all'}"
