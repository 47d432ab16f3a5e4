"""Local files: one that is odd is named, and hinders no other; what others wrote beside them is not touched in vain."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from civitscrape.archive import fingerprints
from civitscrape.archive.database import upsert
from civitscrape.exceptions import ArchiveError

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fine.safetensors").write_bytes(b"fine")
    return tmp_path / "models"


def found_in(folder: Path) -> tuple[list[str], list[str]]:
    found = fingerprints.find([str(folder)])
    return [path.name for path in found.files], found.unreadable


def not_utf8(folder: Path) -> Path:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/n\xff.safetensors"))
    try:
        path.write_bytes(b"odd")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    return path


@posix
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to(path.with_name("nowhere")), "No such file or directory"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (os.mkfifo, "it is no ordinary file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no ordinary file"),
    ],
    ids=["broken link", "link to itself", "pipe", "device"],
)
def test_what_is_no_file_is_named_with_the_reason_and_the_rest_is_found(folder, make, reason):
    make(folder / "odd.bin")

    names, unreadable = found_in(folder)

    assert names == ["fine.safetensors"]
    assert [(str(folder / "odd.bin") in one, reason in one) for one in unreadable] == [(True, True)]


@posix
def test_a_loop_of_folders_has_an_end(folder):
    (folder / "loop").symlink_to(folder)

    assert found_in(folder) == (["fine.safetensors"], [])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_named(folder):
    (folder / "closed").mkdir(mode=0)

    names, unreadable = found_in(folder)

    assert names == ["fine.safetensors"]
    assert unreadable == [f"{str(folder / 'closed')!r} cannot be listed: Permission denied"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_a_file_that_cannot_be_read_says_why(folder):
    (folder / "bad.bin").symlink_to("/proc/self/mem")

    with pytest.raises(ArchiveError, match=r"bad\.bin' cannot be read: Input/output error"):
        fingerprints.read(folder / "bad.bin")


def test_a_file_that_is_gone_meanwhile_says_so(folder):
    with pytest.raises(ArchiveError, match="No such file"):
        fingerprints.read(folder / "gone.bin")


def test_a_file_that_grew_while_it_was_read_is_not_hashed(folder, monkeypatch):
    path = folder / "fine.safetensors"

    def grow(name: str, flags: int) -> int:
        path.write_bytes(b"fine, and more")
        return os.open(name, flags)

    monkeypatch.setattr(fingerprints, "_open", grow)

    with pytest.raises(ArchiveError, match="changed while it was read"):
        fingerprints.read(path)


@posix
async def test_a_name_that_is_no_utf8_is_remembered_readably(folder, archive):
    odd = not_utf8(folder)
    file = fingerprints.read(odd)

    await archive.run(upsert, [file])
    known = await archive.run(fingerprints.remembered, [fingerprints.measured(odd)])

    assert known == {f"{folder}/n\\xff.safetensors": hashlib.sha256(b"odd").hexdigest()}


@posix
def test_what_the_site_tells_goes_beside_a_name_that_is_no_utf8(folder):
    odd = not_utf8(folder)

    said = fingerprints.write_info(odd, {"id": 5})

    assert said.encode()
    assert json.loads(odd.with_suffix(".civitai.info").read_bytes()) == {"id": 5}


def test_an_equal_file_of_another_tool_is_left_as_it_is(folder):
    info = folder / "fine.civitai.info"
    info.write_text('{ "name":"v1",   "id": 5}\n')

    said = fingerprints.write_info(folder / "fine.safetensors", {"id": 5, "name": "v1"})

    assert info.read_text() == '{ "name":"v1",   "id": 5}\n'
    assert said.endswith("is up to date")


@pytest.mark.parametrize("there", [b'{"id": 5, "name": "old"}', b"not JSON", b"\xff", b"[" * 100_000])
def test_an_older_or_unreadable_file_is_replaced(folder, there):
    (folder / "fine.civitai.info").write_bytes(there)

    said = fingerprints.write_info(folder / "fine.safetensors", {"id": 5, "name": "\ud83c"})

    assert json.loads((folder / "fine.civitai.info").read_bytes()) == {"id": 5, "name": "\ud83c"}
    assert said.endswith("was written")


def test_a_file_about_another_version_is_replaced_by_name(folder):
    (folder / "fine.civitai.info").write_text('{"id": 4}')

    said = fingerprints.write_info(folder / "fine.safetensors", {"id": 5})

    assert "spoke of version 4 before" in said
    assert json.loads((folder / "fine.civitai.info").read_bytes()) == {"id": 5}


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(folder):
    (folder / "fine.civitai.info" / "mine").mkdir(parents=True)

    with pytest.raises(ArchiveError, match=r"fine\.civitai\.info' cannot be written"):
        fingerprints.write_info(folder / "fine.safetensors", {"id": 5})

    assert sorted(path.name for path in folder.iterdir()) == ["fine.civitai.info", "fine.safetensors"]
