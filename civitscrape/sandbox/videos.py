"""Films and sound without an encoder: H.264 from raw macroblocks inside MP4, and silent MPEG frames.

Every macroblock is written as raw samples (I_PCM), which each H.264 decoder must read; that makes the files large for
what they show, and the code small.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

FRAMES_PER_SECOND = 4
_EMULATION = re.compile(b"\x00\x00(?=[\x00-\x03])")


class _Bits:
    """Bits written from the most significant end, as H.264 headers are."""

    def __init__(self) -> None:
        self._bits = ""

    def put(self, value: int, width: int) -> None:
        self._bits += f"{value:0{width}b}"

    def ue(self, *values: int) -> None:
        """Append unsigned Exp-Golomb codes."""
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code

    def align(self, fill: str = "0") -> bytes:
        """Fill up to a whole byte and take what was written."""
        self._bits += fill * (-len(self._bits) % 8)
        out = int(self._bits, 2).to_bytes(len(self._bits) // 8, "big") if self._bits else b""
        self._bits = ""
        return out

    def stop(self) -> bytes:
        """Append the trailing bit that ends a unit, and take what was written."""
        self.put(1, 1)
        return self.align()


def _unit(kind: int, payload: bytes) -> bytes:
    """Wrap a payload as a NAL unit; emulation prevention keeps start codes out of it."""
    return bytes((kind,)) + _EMULATION.sub(b"\x00\x00\x03", payload)


def _sequence(width: int, height: int) -> bytes:
    """Write the sequence parameter set: baseline profile, level 4.0, cropped to the true size."""
    columns, rows = -(-width // 16), -(-height // 16)
    bits = _Bits()
    for value in (66, 0xC0, 40):
        bits.put(value, 8)
    # seq id 0, frame numbers of 4 bits, picture order type 2, no reference frames.
    bits.ue(0, 0, 2, 0)
    bits.put(0, 1)
    bits.ue(columns - 1, rows - 1)
    bits.put(0b11, 2)
    right, bottom = (columns * 16 - width) // 2, (rows * 16 - height) // 2
    bits.put(1, 1)
    bits.ue(0, right, 0, bottom)
    bits.put(0, 1)
    return _unit(0x67, bits.stop())


def _picture() -> bytes:
    """Write the picture parameter set: CAVLC, one slice group, no deblocking control needed."""
    bits = _Bits()
    bits.ue(0, 0)
    bits.put(0, 2)
    bits.ue(0, 0, 0)
    bits.put(0, 3)
    # Quantiser offsets 0, 0, 0 as signed codes.
    bits.ue(0, 0, 0)
    bits.put(0b100, 3)
    return _unit(0x68, bits.stop())


def _frame(picture: Image.Image, number: int) -> bytes:
    """Encode one picture as an IDR slice of raw macroblocks."""
    columns, rows = -(-picture.width // 16), -(-picture.height // 16)
    padded = picture.convert("YCbCr").crop((0, 0, columns * 16, rows * 16))
    luma, blue, red = padded.split()
    half = (columns * 8, rows * 8)
    planes = [(luma.tobytes(), columns * 16, 16)]
    planes += [(one.resize(half).tobytes(), columns * 8, 8) for one in (blue, red)]
    bits = _Bits()
    # First macroblock, slice type I, picture set 0; frame number 0; IDR picture id.
    bits.ue(0, 7, 0)
    bits.put(0, 4)
    bits.ue(number % 2)
    bits.put(0, 2)
    # Quantiser delta 0, deblocking off.
    bits.ue(0, 1)
    out = bytearray()
    for row in range(rows):
        for column in range(columns):
            # Macroblock type 25 is I_PCM: aligned raw samples follow.
            bits.ue(25)
            out += bits.align()
            for plane, stride, size in planes:
                start = row * size * stride + column * size
                out += b"".join(plane[start + line * stride : start + line * stride + size] for line in range(size))
    bits.put(1, 1)
    out += bits.align()
    return _unit(0x65, bytes(out))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    """A box with version 0 and flags."""
    return _box(kind, struct.pack(">I", flags), *parts)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def mp4(pictures: list[Image.Image]) -> bytes:
    """Make a film of the pictures, all of one size: four frames a second, odd sides cut to even ones."""
    width, height = pictures[0].width // 2 * 2, pictures[0].height // 2 * 2
    sequence, parameters = _sequence(width, height), _picture()
    frames = [_frame(one.crop((0, 0, width, height)), number) for number, one in enumerate(pictures)]
    samples = [struct.pack(">I", len(one)) + one for one in frames]
    kind = _box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2avc1mp41")
    track = _Track(width, height, sequence, parameters, [len(one) for one in samples])
    index = _movie(track, len(kind) + len(_movie(track, 0)) + 8)
    return kind + index + _box(b"mdat", *samples)


class _Track(NamedTuple):
    """What the index of a film tells."""

    width: int
    height: int
    sequence: bytes
    parameters: bytes
    sizes: list[int]
    """Bytes of each sample."""


def _movie(track: _Track, offset: int) -> bytes:
    """Write the index of a film; ``offset`` is where its first sample lies in the file."""
    width, height, sequence, parameters, sizes = track
    count = len(sizes)
    config = _box(
        b"avcC", bytes((1, 66, 0xC0, 40, 0xFF, 0xE1)), struct.pack(">H", len(sequence)), sequence,
        b"\x01", struct.pack(">H", len(parameters)), parameters,
    )  # fmt: skip
    entry = _box(
        b"avc1", struct.pack(">6xH16xHHIIIH32sHh", 1, width, height, 0x480000, 0x480000, 0, 1, b"", 24, -1), config
    )
    table = _box(
        b"stbl",
        _full(b"stsd", 0, struct.pack(">I", 1), entry),
        _full(b"stts", 0, struct.pack(">III", 1, count, 1)),
        _full(b"stsc", 0, struct.pack(">IIII", 1, 1, count, 1)),
        _full(b"stsz", 0, struct.pack(">II", 0, count), *(struct.pack(">I", one) for one in sizes)),
        _full(b"stco", 0, struct.pack(">II", 1, offset)),
    )
    source = _box(b"dinf", _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", 0, struct.pack(">IIIIHH", 0, 0, FRAMES_PER_SECOND, count, 0x55C4, 0)),
        _full(b"hdlr", 0, struct.pack(">I4s12x", 0, b"vide"), b"sandbox\x00"),
        _box(b"minf", _full(b"vmhd", 1, bytes(8)), source, table),
    )
    header = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, count, 0, 0, 0, 0)
    trak = _box(b"trak", _full(b"tkhd", 3, header, _MATRIX, struct.pack(">II", width << 16, height << 16)), media)
    movie = struct.pack(">IIIIIH10x", 0, 0, FRAMES_PER_SECOND, count, 0x10000, 0x100)
    return _box(b"moov", _full(b"mvhd", 0, movie, _MATRIX, bytes(24), struct.pack(">I", 2)), trak)


def mp3(draw: Random) -> bytes:
    """Make a moment of silence: a title drawn from the seed, then MPEG-1 layer III frames of 128 kbit/s."""
    title = f"harbour {draw.getrandbits(40):x}".encode()
    frame = _id3_frame(b"TIT2", b"\x03" + title)
    size = len(frame)
    tag = b"ID3\x04\x00\x00" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127)) + frame
    return tag + (b"\xff\xfb\x90\x64" + bytes(413)) * 12


def _id3_frame(name: bytes, data: bytes) -> bytes:
    return name + struct.pack(">IH", len(data), 0) + data
