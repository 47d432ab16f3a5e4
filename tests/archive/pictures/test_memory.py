"""Memory of pictures is kept, and what is in them is not."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from civitscrape.archive.pictures import memory
from tests.archive.pictures.making import drawn


def test_memory_that_was_used_before_changes_no_picture():
    picture = drawn(size=(640, 480))
    before = BytesIO()
    picture.save(before, "WEBP", quality=85, method=4)

    memory.keep()

    for _ in range(4):
        Image.new("RGB", (640, 480), (255, 0, 255))
        after = BytesIO()
        picture.copy().save(after, "WEBP", quality=85, method=4)
        assert after.getvalue() == before.getvalue()
    assert Image.core.get_blocks_max() == memory.BLOCKS  # type: ignore[attr-defined]  # no stub names it
