"""Pictures that look alike have hashes that are alike."""

from __future__ import annotations

import pytest
from PIL import Image

from civitscrape.archive.pictures.hashing import distance, look
from tests.archive.pictures.making import drawn


@pytest.mark.parametrize("size", [(80, 60), (320, 240), (1600, 1200)])
def test_a_picture_of_another_size_has_the_same_hash_but_for_a_bit_or_two(size):
    picture = drawn(size=(640, 480))

    assert distance(look(picture), look(picture.resize(size))) <= 2


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_another_picture_has_another_hash(seed):
    assert distance(look(drawn(7)), look(drawn(seed + 100))) >= 10


def test_a_flat_picture_has_no_bits_that_say_anything():
    grey, green = Image.new("RGB", (300, 200), (90, 90, 90)), Image.new("RGB", (300, 200), (10, 200, 30))

    assert distance(look(grey), look(green)) == 0
    assert look(grey).firm.bit_count() <= 1


def test_what_cannot_be_seen_does_not_count():
    clear = drawn(mode="RGBA")
    black = Image.new("RGBA", clear.size)
    black.putalpha(clear.getchannel("A"))
    hidden, other = clear.copy(), clear.copy()
    hidden.putalpha(0)
    other.putalpha(0)

    assert look(hidden) == look(Image.new("RGBA", clear.size))
    assert distance(look(clear), look(black)) > 4


def test_a_hash_is_written_as_16_digits():
    assert len(str(look(drawn()))) == 16
