from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitscrape.downloads.part import HEAD_SIZE, PartFile
from civitscrape.downloads.ranges import Source


def test_the_hash_is_of_all_that_was_written(tmp_path):
    part = PartFile(str(tmp_path / "a.part"))

    part.write([b"lan", b"tern"])
    part.finish([b"s"])

    assert (tmp_path / "a.part").read_bytes() == b"lanterns"
    assert part.sha256 == sha256(b"lanterns").hexdigest()
    assert part.size == 8


def test_the_head_is_collected_over_small_pieces(tmp_path):
    body = bytes(range(256)) * 3
    part = PartFile(str(tmp_path / "a.part"))

    part.finish([body[:100], body[100:300], body[300:]])

    assert part.head == body[:HEAD_SIZE]


def test_a_missing_folder_is_made(tmp_path):
    part = PartFile(str(tmp_path / "parts" / "a.part"))

    part.finish([b"x"])

    assert (tmp_path / "parts" / "a.part").exists()


@pytest.mark.parametrize("write", [PartFile.finish, PartFile.write, lambda part, chunks: part.store(chunks[0])])
def test_a_store_that_is_gone_is_not_made_again(tmp_path, write):
    part = PartFile(str(tmp_path / "store" / "parts" / "a.part"))

    with pytest.raises(FileNotFoundError):
        write(part, [b"x"])

    assert list(tmp_path.iterdir()) == []


def test_a_leftover_of_an_earlier_run_is_written_over(tmp_path):
    path = tmp_path / "a.part"
    path.write_bytes(b"a longer leftover")

    PartFile(str(path)).finish([b"new"])

    assert path.read_bytes() == b"new"


def test_a_discarded_part_stays_away_when_a_late_write_comes(tmp_path):
    part = PartFile(str(tmp_path / "a.part"))
    part.write([b"x"])

    part.discard()
    part.finish([b"y"])

    assert list(tmp_path.iterdir()) == []


@settings(max_examples=30, deadline=None)  # each suspension waits for the disk
@given(st.binary(max_size=4000), st.lists(st.integers(0, 1500), max_size=6), st.randoms(use_true_random=False))
def test_however_often_it_breaks_off_the_whole_is_the_same(body, cuts, draw):
    with TemporaryDirectory() as folder:
        path, done = f"{folder}/a.part", 0
        part = PartFile(path, ("crc32",))
        for cut in cuts:
            part.source = Source(url="http://s3.example/a", etag='"1"')
            part.suspend([body[done : done + cut]])
            done = min(len(body), done + cut)
            if draw.random() < 0.5:  # another run, or the same one
                part = PartFile.found(path, ("crc32",)) or PartFile(path, ("crc32",))
            assert part.size == done
            assert part.resume()  # as whoever goes on with a part does
        part.finish([body[done:]])

        assert Path(path).read_bytes() == body
        assert part.digests == {"sha256": sha256(body).hexdigest(), "crc32": f"{crc32(body):08x}"}
        assert part.head == body[:HEAD_SIZE]
