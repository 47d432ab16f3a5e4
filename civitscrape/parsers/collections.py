"""Collections and what is in them into items (contract trpc-and-pages.md §4.6, rest.md §8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from civitscrape.items import Collection, CollectionEntry, Item
from civitscrape.parsers import fields, lenient, parts, tags

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = frozenset({"image", "post", "model", "article", "model3d"})


def from_trpc(entry: Any) -> list[Item]:
    """Return a collection and its tags, the collection first.

    Args:
        entry: ``collection`` of the answer of ``collection.getById``, or one of the items of ``getInfinite``.

    Raises:
        EntryError: a field does not hold what it should.
    """
    return _read(fields.identity(entry), entry, lenient.mapping(entry, "_count").get("items"))


def from_rest(entry: Any) -> list[Item]:
    """Return a collection of ``/api/v1/collections`` and its tags, the collection first.

    Args:
        entry: one of ``items``, or the answer about a single collection.

    Raises:
        EntryError: a field does not hold what it should.
    """
    return _read(fields.identity(entry), entry, entry.get("itemCount"))


def place(item: Any, *, collection_id: int, position: int) -> CollectionEntry:
    """Return the place of one entry in a collection.

    Args:
        item: one of ``collectionItems`` of ``collection.getAllCollectionItems``: ``{id, status, type, data}``.
        collection_id: number of the collection.
        position: place in the curator's order, from 0.

    Raises:
        EntryError: it does not tell what it is.
    """
    number = fields.identity(item)
    kind = (fields.text(item, "type") or "").lower()
    if kind not in _KINDS:
        raise fields.wrong(item, "type", item.get("type"), "the kind of an entry")
    data = parts.mapping(item, "data")
    entry_id = fields.part_identity({"id": number}, "data", data)
    return CollectionEntry(collection_id=collection_id, position=position, entry_kind=kind, entry_id=entry_id)


def _read(number: int, entry: Mapping[str, Any], count: Any) -> list[Item]:
    named = tags.named(entry)
    collection = Collection(
        id=number,
        name=fields.text(entry, "name"),
        type=fields.text(entry, "type"),
        creator=parts.creator(entry),
        description=fields.text(entry, "description"),
        read=fields.text(entry, "read"),
        mode=fields.text(entry, "mode"),
        level=parts.levels(entry),
        item_count=fields.to_integer(entry, "itemCount", count),
        tags=None if named is None else [one.name for one in named],
    )
    return [collection, *(named or [])]
