"""Carry out what mends a holding: files first, then its rows, inside one transaction; no last copy is ever removed."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from civitscrape.archive import naming, paths, sidecars
from civitscrape.archive.naming import Unnamed
from civitscrape.archive.verify import looking, rows
from civitscrape.archive.verify.inventory import ASIDE, PART
from civitscrape.archive.verify.planning import Settle, Sight
from civitscrape.exceptions import ArchiveError
from civitscrape.items import Image, ModelFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.engine import Connection

    from civitscrape.archive.verify.planning import Holding, Look, Plan


@dataclass(slots=True, kw_only=True)
class Workshop:
    """Where and how things are mended."""

    store: Path
    template: str
    """What paths are made from, as ``MEDIA_PATH`` has it."""
    kinds: tuple[str, ...]
    """Kinds of sidecars that files are to have, of ``sidecars.KINDS``."""


def carry_out(
    connection: Connection, shop: Workshop, holding: Holding, looks: Mapping[str, Look], plan: Plan
) -> list[str] | None:
    """Do what a plan says, unless rows or files have changed since they were looked at.

    Args:
        connection: inside a transaction; files are put in place before it commits.
        shop: where and how.
        holding: what the rows said.
        looks: what was seen under each path.
        plan: what to do.

    Returns:
        Paths that were filled: those that the bytes now lie under, the home first, then those of their WebPs; None when
        something has changed, and nothing was done.

    Raises:
        ArchiveError: a file cannot be written, or is not what it was taken for; the rows are as they were.
    """
    if rows.again(connection, holding.table, holding.id) != holding or _have_changed(shop.store, looks):
        return None
    try:
        if plan.settle in {Settle.FORGET, Settle.CLEAR} or plan.source is None:
            return _let_go(connection, shop, holding, looks, plan)
        return _fill(connection, shop, holding, looks, plan)
    except OSError as error:
        raise ArchiveError(f"{error.filename or holding.id} cannot be mended: {error.strerror or error}") from error


def _have_changed(store: Path, looks: Mapping[str, Look]) -> bool:
    for path, look in looks.items():
        if look.sight in {Sight.OUTSIDE, Sight.UNREADABLE}:
            continue
        try:
            found = os.stat(paths.address(store, path))  # noqa: PTH116 (as where it was looked at)
            signature = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        except (FileNotFoundError, NotADirectoryError):
            signature = None
        except OSError:
            return True
        if signature != look.signature:
            return True
    return False


def _let_go(
    connection: Connection, shop: Workshop, holding: Holding, looks: Mapping[str, Look], plan: Plan
) -> list[str]:
    """Keep damaged files aside, each once, and take their paths back."""
    for path in plan.drop:
        Path(paths.address(shop.store, path)).unlink(missing_ok=True)
    kept = set()
    for path in plan.aside:
        signature = looks[path].signature
        target = Path(paths.address(shop.store, path))
        if signature in kept:  # another name of the same bytes
            target.unlink()
        else:
            set_aside(target)
        kept.add(signature)
    if plan.settle is Settle.FORGET:
        rows.forget(connection, holding)
    else:
        rows.clear(connection, holding)
    return []


def _fill(connection: Connection, shop: Workshop, holding: Holding, looks: Mapping[str, Look], plan: Plan) -> list[str]:
    """Bring the bytes under every name that is to have them, then tell the rows."""
    source = Path(paths.address(shop.store, plan.source or ""))
    seen = looks.get(plan.source or "")
    if seen is None or seen.sha256 is None:  # found by its size alone, or belongs to somebody else
        seen = looking.read(source, holding.sha256)
        if seen.sight is not Sight.WHOLE:
            raise ArchiveError(f"{plan.source}: it was to be the source of other files, but {seen.why}")
    for path in plan.place:
        replicate(source, Path(paths.address(shop.store, path)), seen.sha256)
    named = _name(connection, shop, plan.name, looking.extension(source) if plan.name else "")
    for path in named.values():
        _settle_in(source, Path(paths.address(shop.store, path)), seen.sha256)
    own = [plan.source] if plan.source in looks else []
    filled = [path for path in (*own, *plan.place, *named.values()) if path]
    if holding.table == "model_files" and not filled:
        (file,) = rows.records(connection, ModelFile, [int(holding.id)])
        filled = [naming.name_of_file(file)]
        _settle_in(source, Path(paths.address(shop.store, filled[0])), seen.sha256)
    if plan.settle is Settle.ADOPT:
        if not filled:
            raise ArchiveError(f"{holding.table} {holding.id}: no image has these bytes, so they can have no name")
        home = next((path for path in filled if path == holding.path), filled[0])
        rows.adopt(connection, holding, home, seen, looking.content_type(source))
    rows.name(connection, named)
    if holding.table != "model_files":
        sidecars.write(connection, shop.store, [*plan.sidecars, *named], kinds=shop.kinds)
    return filled + _link_webps(connection, shop.store, holding, named)


def _name(connection: Connection, shop: Workshop, ids: Collection[int], extension: str) -> dict[int, str]:
    """Give images names of their own, as crawls do; those that the archive does not know get none."""
    known = [image.id for image in rows.records(connection, Image, ids)]
    return naming.name(connection, shop.template, [Unnamed(id=number, extension=extension) for number in known])


def _link_webps(connection: Connection, store: Path, holding: Holding, named: Collection[int]) -> list[str]:
    """Bring the WebP that lies beside the original beside its new names too; one that is lost is another finding."""
    fresh = rows.again(connection, holding.table, holding.id) if named else None
    if fresh is None or fresh.webp is None:
        return []
    names = [path for number in named if (path := fresh.webp.names.get(number))]
    for path in fresh.webp.paths():
        source = Path(paths.address(store, path))
        if path not in names and source.exists() and looking.read(source, fresh.webp.sha256).sight is Sight.WHOLE:
            for name in names:
                _settle_in(source, Path(paths.address(store, name)), fresh.webp.sha256)
            return names
    return []


def replicate(source: Path, target: Path, sha256: str | None) -> None:
    """Put the bytes of one file under another name in one step: a hard link, or a copy that was read again.

    Raises:
        ArchiveError: what was copied is not what lies there.
        OSError: it cannot be written.
    """
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + PART)
    fresh.unlink(missing_ok=True)
    try:
        os.link(source, fresh)
    except OSError:  # a file system without links, or a link to another one
        shutil.copyfile(source, fresh)
        copied = looking.read(fresh, sha256)
        if copied.sight is not Sight.WHOLE:
            fresh.unlink()
            raise ArchiveError(f"{target} cannot be written: the copy {copied.why}") from None
    os.replace(fresh, target)  # noqa: PTH105 (the name may exist)


def _settle_in(source: Path, target: Path, sha256: str | None) -> None:
    """Fill a name that no row has had; other bytes under it are kept aside, because nobody has called them damaged."""
    if target.exists() and not target.samefile(source) and looking.read(target, sha256).sight is not Sight.WHOLE:
        set_aside(target)
    replicate(source, target, sha256)


def set_aside(target: Path) -> Path:
    """Rename a damaged file to the first free of ``{name}.damaged``, ``{name}.damaged-2`` and so on."""
    number = 1
    while True:
        kept = target.with_name(f"{target.name}{ASIDE}{'' if number == 1 else f'-{number}'}")
        if not kept.exists():
            target.rename(kept)
            return kept
        number += 1


def remove(target: Path) -> None:
    """Remove a file, and its folder when that was the last in it."""
    target.unlink(missing_ok=True)
    with suppress(OSError):
        target.parent.rmdir()
