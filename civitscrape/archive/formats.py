"""What a file is, told from its first bytes alone: the extension in an address is cosmetic (contract rest.md §10)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from civitscrape.items import MediaType

HEAD_SIZE = 512
"""Bytes from the start of a file that ``sniff`` looks at."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of media file."""

    extension: str
    """Extension with its dot, lower case."""
    content_type: str
    """Media type as IANA or, where it has none, as browsers name it."""
    kind: MediaType
    """``image``, ``video`` or ``audio``."""


JPEG = Format(".jpeg", "image/jpeg", MediaType.IMAGE)  # not .jpg: the site writes .jpeg in its addresses
PNG = Format(".png", "image/png", MediaType.IMAGE)
GIF = Format(".gif", "image/gif", MediaType.IMAGE)
WEBP = Format(".webp", "image/webp", MediaType.IMAGE)
AVIF = Format(".avif", "image/avif", MediaType.IMAGE)
HEIC = Format(".heic", "image/heic", MediaType.IMAGE)
BMP = Format(".bmp", "image/bmp", MediaType.IMAGE)
TIFF = Format(".tiff", "image/tiff", MediaType.IMAGE)
JXL = Format(".jxl", "image/jxl", MediaType.IMAGE)
MP4 = Format(".mp4", "video/mp4", MediaType.VIDEO)
M4V = Format(".m4v", "video/x-m4v", MediaType.VIDEO)
MOV = Format(".mov", "video/quicktime", MediaType.VIDEO)
WEBM = Format(".webm", "video/webm", MediaType.VIDEO)
MKV = Format(".mkv", "video/matroska", MediaType.VIDEO)
OGV = Format(".ogv", "video/ogg", MediaType.VIDEO)
OGG = Format(".ogg", "audio/ogg", MediaType.AUDIO)
MP3 = Format(".mp3", "audio/mpeg", MediaType.AUDIO)
M4A = Format(".m4a", "audio/mp4", MediaType.AUDIO)
WAV = Format(".wav", "audio/wav", MediaType.AUDIO)
FLAC = Format(".flac", "audio/flac", MediaType.AUDIO)

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),  # BigTIFF
    (b"MM\0+", TIFF),
    (b"\xff\x0a", JXL),  # a bare code stream
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"fLaC", FLAC),
)

_RIFF = {b"WEBP": WEBP, b"WAVE": WAV}

_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Sizes of the second header; the two letters BM alone could begin a text."""

_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), HEIC),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), M4A),
    **dict.fromkeys((b"M4V ", b"M4VH", b"M4VP"), M4V),
    b"qt  ": MOV,
}
_MP4_BRANDS = (b"iso", b"mp4", b"avc1", b"dash", b"MSNV", b"XAVC", b"f4v", b"3gp", b"3g2", b"cmf")
"""Beginnings of the many brands that all mean an ordinary MP4."""

_FTYP_SIZES = range(16, 4097)
"""Bytes of a believable first box; four letters of a text would make a far larger number."""

_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide"})
"""First boxes of a QuickTime film from before brands."""

_EBML = re.compile(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.{1,8}?(webm|matroska)", re.DOTALL)
"""Head of an EBML file: its magic, some elements, then DocType (0x4282), a length of 1 to 8 bytes, the text."""

_OGG_VIDEO = (b"\x80theora", b"\x01video\0")
_OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")

_ID3 = re.compile(
    rb"ID3[\x02-\x04][\x00-\xfe]"
    rb"[\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0]"
    rb"([\x00-\x7f]{4})"
)
"""Head of an ID3v2 tag: version, revision, flags, and a length whose bytes never use their highest bit."""

_FRAME_HEADER = 4
_FRAME_SYNC = 0x7FF
_LAYER_III = 1
_RESERVED_EMPHASIS = 2
_MPEG1 = 3
_RATES = {3: (44100, 48000, 32000, 0), 2: (22050, 24000, 16000, 0), 0: (11025, 12000, 8000, 0)}
"""Samples a second, by the version bits of a frame header: 3 MPEG 1, 2 MPEG 2, 0 MPEG 2.5; 0 is reserved."""
_MPEG1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_MPEG2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_SAME_STREAM = 0xFFFE0C00
"""Bits of a frame header that stay the same through a stream: sync, version, layer, sample rate."""


def sniff(head: bytes) -> Format | None:
    r"""Tell the format of a file from its first ``HEAD_SIZE`` bytes.

    None means that it is no media file that we know: text, HTML, JSON, SVG, nothing at all. Such an answer must not
    be stored as a picture, whatever its address or its Content-Type say.

    >>> sniff(b"\x89PNG\r\n\x1a\n" + bytes(8)).extension
    '.png'
    >>> sniff(b"<!DOCTYPE html><title>Just a moment...</title>") is None
    True
    """
    head = head[:HEAD_SIZE]
    for signature, known in _SIGNATURES:
        if head.startswith(signature):
            return known
    return _riff(head) or _bmp(head) or _iso_media(head) or _ebml(head) or _ogg(head) or _mp3(head)


def _riff(head: bytes) -> Format | None:
    if head[:4] not in {b"RIFF", b"RF64"}:
        return None
    return _RIFF.get(head[8:12])


def _bmp(head: bytes) -> Format | None:
    is_bmp = head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES
    return BMP if is_bmp else None


def _iso_media(head: bytes) -> Format | None:
    """Read the brands of an ISO base media file: the first one that says something decides.

    Brands such as ``mif1`` say only "a picture of some kind", so the compatible brands after them are read too.
    """
    size, box = int.from_bytes(head[:4]), head[4:8]
    if box in _OLD_QUICKTIME and head[0] == 0:  # no text begins with a zero byte
        return MOV
    if box != b"ftyp" or size not in _FTYP_SIZES:
        return None
    for start in (8, *range(16, min(size, len(head)) - 3, 4)):  # a version number stands between first and second
        brand = head[start : start + 4]
        if brand in _BRANDS:
            return _BRANDS[brand]
        if brand.startswith(_MP4_BRANDS):
            return MP4
    return None


def _ebml(head: bytes) -> Format | None:
    found = _EBML.match(head)
    if found is None:
        return None
    return WEBM if found[1] == b"webm" else MKV


def _ogg(head: bytes) -> Format | None:
    """Look for the codec names: the first page of each stream stands at the start of the file."""
    if not head.startswith(b"OggS\0"):
        return None
    if any(codec in head for codec in _OGG_VIDEO):
        return OGV
    return OGG if any(codec in head for codec in _OGG_AUDIO) else None


def _mp3(head: bytes) -> Format | None:
    """Tell MP3 by a well-formed ID3 tag, or by a frame header whose successor, where it can be seen, agrees."""
    tag = _ID3.match(head)
    if tag:
        size = tag[1]
        end = tag.end() + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
        return FLAC if head.startswith(b"fLaC", end) else MP3
    length = _frame_length(head)
    if length is None:
        return None
    following = head[length : length + _FRAME_HEADER]
    agrees = not (int.from_bytes(head[:_FRAME_HEADER]) ^ int.from_bytes(following)) & _SAME_STREAM
    return MP3 if agrees or len(following) < _FRAME_HEADER else None


def _frame_length(head: bytes) -> int | None:
    """Give the bytes of the MPEG layer III frame that begins here; None where no such frame can begin."""
    header = int.from_bytes(head[:_FRAME_HEADER])
    version = header >> 19 & 3
    if header >> 21 != _FRAME_SYNC or header >> 17 & 3 != _LAYER_III or header & 3 == _RESERVED_EMPHASIS:
        return None
    if version not in _RATES:
        return None
    kbits = (_MPEG1_KBITS if version == _MPEG1 else _MPEG2_KBITS)[header >> 12 & 15]
    rate = _RATES[version][header >> 10 & 3]
    if not kbits or not rate:
        return None
    samples = 1152 if version == _MPEG1 else 576
    return samples // 8 * kbits * 1000 // rate + (header >> 9 & 1)
