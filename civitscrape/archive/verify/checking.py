"""The check itself: rows in chunks, their files in threads, then what no row names, and what was lost."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from civitscrape.archive import companions, fingerprints, paths, retagging, sidecars
from civitscrape.archive.verify import looking, mending, parts, planning, rows, webps
from civitscrape.archive.verify.findings import Findings
from civitscrape.archive.verify.inventory import Inventory, Stray
from civitscrape.archive.verify.mending import Workshop
from civitscrape.archive.verify.planning import Finding, Kind, Sight
from civitscrape.exceptions import ArchiveError
from civitscrape.ledger import MediaState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy.engine import Connection

    from civitscrape.archive.database import Archive
    from civitscrape.archive.verify.planning import Holding, Look, Plan

WORKERS = min(4, os.cpu_count() or 1)
"""Files hashed at once; more would make a disk with a moving head jump."""

CHANGED = "it changed while it was looked at; run the same command again"


@dataclass(slots=True, kw_only=True)
class Scope:
    """What is checked, and how."""

    shop: Workshop
    target: str | None = None
    """Only the files of this target, such as ``user:lampwright``; what no row names is left out then."""
    quick: bool = False
    mend: bool = False
    ignored: frozenset[str] = frozenset()
    """Absolute paths inside the store that are no part of it."""


class Check:
    """One check of an archive.

    Attributes:
        findings: what was found so far.
    """

    def __init__(self, archive: Archive, scope: Scope) -> None:
        self._archive = archive
        self._scope = scope
        self._shop = scope.shop
        self._store = scope.shop.store
        self.findings = Findings()

    def total(self) -> int:
        """Count the rows whose files will be looked at.

        Raises:
            ArchiveError: there are some, and the store is not there at all.
        """
        number = self._archive.run_now(rows.count, self._scope.target)
        if number and not self._store.is_dir():
            raise ArchiveError(
                f"setting MEDIA_STORE: {str(self._store)!r} is not there, and {number} rows name files in it; is its "
                "disk mounted? If everything is to be fetched again, make the folder first"
            )
        return number

    def run(self, advance: Callable[[int, int], None]) -> None:
        """Look at everything, and mend what can be mended if that was asked for.

        Args:
            advance: told how many rows, and how many bytes, have been looked at since it was last told.

        Raises:
            ArchiveError: the database cannot be used.
            KeyboardInterrupt: it was stopped; what is mended is mended, and nothing is half done.
        """
        pool = ThreadPoolExecutor(WORKERS, "verify")
        with Inventory(self._store) as inventory:
            try:
                self._run(inventory, pool, advance)
            finally:
                pool.shutdown(cancel_futures=True)

    def _run(self, inventory: Inventory, pool: ThreadPoolExecutor, advance: Callable[[int, int], None]) -> None:
        whole = self._scope.target is None
        if self._scope.mend and self._store.is_dir():
            self._archive.run_now(retagging.finish, self._store)
        if whole and self._store.is_dir():
            # Before the rows are read: a file that a crawl puts here meanwhile has its row by then.
            inventory.survey(self._scope.ignored)
        for chunk in self._chunks():
            for files, size in self._check(chunk, inventory, pool):
                advance(files, size)
        if whole:
            self._find_strays(inventory, pool)
        for table, key in inventory.lost():
            self._rescue(table, key, inventory)
        if whole:
            self._place_strays(inventory)
            self._report_strays(inventory)
            self._see_to_parts(inventory)
            for why in inventory.unreadable:
                self.findings.add(Finding(kind=Kind.UNREADABLE, why=why))
            self.findings.aside += inventory.aside
        self._await(inventory)

    def _await(self, inventory: Inventory) -> None:
        """Name what an earlier check has put back to be fetched, and nothing has brought since."""
        after = None
        while chunk := self._archive.run_now(rows.awaited_after, self._scope.target, after):
            for key, state in chunk:
                if not inventory.is_lost("media", key):  # this check has named it already
                    why = f"media {key} was here once, and is {state} now"
                    self.findings.add(Finding(kind=Kind.AWAITED, why=why, table="media", id=key, remedy=planning.FETCH))
            after = chunk[-1][0]

    def _chunks(self) -> Iterator[list[Holding]]:
        """Read what rows say, some at a time."""
        ask, target = self._archive.run_now, self._scope.target
        for after_of in (rows.media_after, rows.files_after, rows.lone_after):
            after = None
            while chunk := ask(after_of, target, after):
                after = chunk[-1].id
                yield chunk

    def _check(self, chunk: list[Holding], inventory: Inventory, pool: ThreadPoolExecutor) -> Iterator[tuple[int, int]]:
        """Look at the files of some holdings; bring the rows and the bytes of what was looked at."""
        originals: list[tuple[str, Look] | None] = []
        look = partial(looking.look, self._store, quick=self._scope.quick, due=self._due(chunk))
        if self._scope.target is None:
            inventory.name(path for holding in chunk for path in holding.paths())
        for holding, looks in zip(chunk, pool.map(look, chunk), strict=True):
            size = sum({one.signature: one.size or 0 for one in looks.values()}.values())
            self.findings.files += 1
            self.findings.size += size
            self.findings.unproven += holding.sha256 is None and any(_is_whole(one) for one in looks.values())
            yield 1, size
            plan = planning.plan(holding, looks)
            if plan.seeks:
                inventory.lose(holding.table, holding.id, holding.size)
            elif plan.findings or plan.acts:
                inventory.name(self._carry_out(holding, looks, plan))
            originals.append(next(((path, one) for path, one in looks.items() if _is_whole(one)), None))
        yield from self._check_webps(chunk, originals, inventory, pool)

    def _due(self, holdings: list[Holding]) -> dict[int, list[str]]:
        """Name the sidecars that the images of some holdings are to have."""
        places = {number: path for one in holdings for number, path in one.names.items() if path is not None}
        return self._archive.run_now(sidecars.due, places, self._shop.kinds)

    def _check_webps(
        self,
        chunk: list[Holding],
        originals: list[tuple[str, Look] | None],
        inventory: Inventory,
        pool: ThreadPoolExecutor,
    ) -> Iterator[tuple[int, int]]:
        """Look at the WebPs beside the originals of some holdings, each of which is whole where one is given."""
        pairs = [(one.webp, whole) for one, whole in zip(chunk, originals, strict=True) if one.webp is not None]
        if self._scope.target is None:
            inventory.name(path for webp, _ in pairs for path in webp.paths())
        look = partial(looking.look, self._store, quick=self._scope.quick, due={})
        seen = pool.map(look, [webp for webp, _ in pairs])
        for (webp, whole), looks in zip(pairs, seen, strict=True):
            plan = webps.plan(webp, looks, None if whole is None else whole[1])
            if plan.findings:
                # With the original, since its WebP is let go of only while that is there.
                inventory.name(self._carry_out(webp, looks if whole is None else {**looks, whole[0]: whole[1]}, plan))
            size = sum({one.signature: one.size or 0 for one in looks.values()}.values())
            self.findings.size += size
            yield 0, size

    def _carry_out(self, holding: Holding, looks: dict[str, Look], plan: Plan) -> list[str]:
        """Do what a plan says if that was asked for, and book its findings; return the paths that were filled."""
        filled: list[str] | None = []
        if self._scope.mend and plan.acts:
            try:
                filled = self._archive.run_now(mending.carry_out, self._shop, holding, looks, plan)
                remark = CHANGED if filled is None else None
            except ArchiveError as error:
                if isinstance(error.__cause__, SQLAlchemyError):
                    raise
                remark = f"not mended: {error}"
            for finding in plan.findings:
                finding.mended = remark is None and finding.remedy not in {None, planning.FETCH}
                finding.remedy = remark or finding.remedy
        for finding in plan.findings:
            self.findings.add(finding)
        return filled or []

    def _find_strays(self, inventory: Inventory, pool: ThreadPoolExecutor) -> None:
        """Read the files that no row names: one of them may be what a row lacks."""
        after = None
        while converted := self._archive.run_now(rows.webp_paths_after, after):
            inventory.name(path for _, path in converted)
            after = converted[-1][0]
        for some in _batches(inventory.unnamed(), rows.CHUNK):
            sizes = [_size(self._store / path) for path in some]
            known = [size is not None and self._is_wanted(size, inventory) for size in sizes]
            read = [path if sought else None for path, sought in zip(some, known, strict=True)]
            for path, size, sha256 in zip(some, sizes, pool.map(self._hash, read), strict=True):
                inventory.stray(Stray(path, sha256, size or 0))

    def _is_wanted(self, size: int, inventory: Inventory) -> bool:
        """Tell whether a file that no row names is worth reading."""
        if not self._scope.quick:
            return True
        return inventory.has_lost(size) or self._archive.run_now(rows.sizes_lacking, size)

    def _hash(self, path: str | None) -> str | None:
        try:
            return None if path is None else fingerprints.read(self._store / path).sha256
        except ArchiveError:
            return None  # it is reported as one that no row names, whatever is in it

    def _rescue(self, table: str, key: str | int, inventory: Inventory) -> None:
        """Look at a lost holding once more, and fill it from elsewhere, or want it again."""
        holding = self._archive.run_now(rows.again, table, key)
        if holding is None:
            return
        looks = looking.look(self._store, holding, quick=self._scope.quick, due=self._due([holding]))
        plan = planning.plan(holding, looks)
        if not plan.seeks or holding.sha256 is None:
            inventory.name(self._carry_out(holding, looks, plan))
            return
        for path in self._archive.run_now(rows.other_paths, holding.sha256, holding):
            if self._is_good(path, holding.sha256):
                inventory.name(self._carry_out(holding, looks, planning.rescue(holding, looks, path)))
                return
        for path in inventory.strays_like(holding.sha256):
            if self._is_good(path, holding.sha256):
                rescue = planning.rescue(holding, looks, path)
                self._use(inventory, path, holding, self._carry_out(holding, looks, rescue))
                return
        self._carry_out(holding, looks, plan)

    def _is_good(self, path: str, sha256: str) -> bool:
        """Prove that other bytes are the right ones before they are multiplied."""
        try:
            target = Path(paths.address(self._store, path))
        except ArchiveError:
            return False
        return looking.read(target, sha256).sight is Sight.WHOLE

    def _use(self, inventory: Inventory, path: str, holding: Holding, filled: list[str]) -> None:
        """Book that a file which no row named has found its place, and take its old name away."""
        if self._scope.mend and not filled:
            return  # it could not be used, and stays a file that no row names
        if filled and path not in filled:
            self._drop(path, filled[0])
        inventory.unstray(path)
        inventory.name(filled)
        why = f"no row names it; it is the file of {holding.table} {holding.id}"
        home = next(iter([*filled, *holding.paths()]), None)
        remedy = f"moved to {home or 'the place of its own'}"
        self.findings.add(Finding(kind=Kind.ORPHANED, why=why, path=path, remedy=remedy, mended=self._scope.mend))

    def _drop(self, path: str, home: str) -> None:
        """Take a name away when the same file, or one that reads the same, lies under the name that rows give it."""
        stray, there = self._store / path, Path(paths.address(self._store, home))
        if there.samefile(stray) or fingerprints.read(there).sha256 == fingerprints.read(stray).sha256:
            stray.unlink()

    def _place_strays(self, inventory: Inventory) -> None:
        """Bring files to the rows that lack exactly them."""
        for stray in inventory.strays():
            holding = self._lacking(stray)
            if holding is not None:
                rescue = planning.rescue(holding, {}, stray.path)
                rescue.findings = []
                self._use(inventory, stray.path, holding, self._carry_out(holding, {}, rescue))

    def _report_strays(self, inventory: Inventory) -> None:
        """Report the files that nothing has a use for; what belongs to a file that was put back is none of them."""
        for stray in inventory.strays():
            if not inventory.belongs(stray.path):
                self.findings.add(Finding(kind=Kind.ORPHANED, why=self._why(stray), path=stray.path))

    def _lacking(self, stray: Stray) -> Holding | None:
        if stray.sha256 is None:
            return None
        found = self._archive.run_now(rows.lacking, stray.sha256)
        return next((one for one in found if one.names or one.table == "model_files"), None)

    def _why(self, stray: Stray) -> str:
        """Say what is known of a file that no row names."""
        owner = stray.path.endswith(companions.JSON.ending) and "the picture that it would belong to is not there"
        if stray.sha256 is not None:
            nobody = planning.Holding(table="", id="", state=MediaState.STORED)
            same = next(iter(self._archive.run_now(rows.other_paths, stray.sha256, nobody)), None)
            if same is not None:
                return f"no row names it; {same} has the same bytes"
        return f"no row names it; {owner}" if owner else "no row names it"

    def _see_to_parts(self, inventory: Inventory) -> None:
        """Report what downloads that were cut off have left, and remove it if that was asked for."""
        for path in inventory.parts():
            target = self._store / path
            if self._archive.run_now(_is_stale, target):
                if self._scope.mend:
                    mending.remove(target)
                self.findings.add(
                    Finding(
                        kind=Kind.UNFINISHED,
                        why="nobody is at work on it, and no row waits for it",
                        path=path,
                        remedy="removed",
                        mended=self._scope.mend,
                    )
                )
            else:
                self.findings.waiting += target.exists()


def _is_stale(connection: Connection, target: Path) -> bool:
    return parts.is_stale(connection, target, at_work=rows.is_at_work(connection))


def _is_whole(look: Look) -> bool:
    return look.sight is Sight.WHOLE


def _size(target: Path) -> int | None:
    """Measure an ordinary file; None for anything else, which is not read."""
    try:
        found = target.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _batches(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Cut what comes into lists, without holding more than one of them."""
    source = iter(values)
    while batch := list(islice(source, size)):
        yield batch
