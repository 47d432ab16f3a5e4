"""Memory that pictures were in is kept for the next: to get it anew from the system costs a tenth of a conversion."""

from __future__ import annotations

import ctypes
from functools import cache

from PIL import Image

BLOCKS = 8
"""Blocks that Pillow keeps, each as large as a picture and at most 16 MB: a conversion has up to four at once."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of options in glibc's ``malloc.h``."""

KEPT = 2**25
"""Bytes up to which the C library takes from its heap what it is asked for, and half of what it keeps at its end: four
times as much would let a process grow by a quarter of a gigabyte, and make no picture of today quicker."""


@cache
def keep() -> None:
    """Let Pillow and the C library keep memory, in this process and from now on.

    The option of Pillow is that of the variable PILLOW_BLOCKS_MAX; other C libraries than glibc are left as they are.
    """
    Image.core.set_blocks_max(BLOCKS)  # type: ignore[attr-defined]  # Pillow's documentation names it so
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(MMAP_THRESHOLD, KEPT)
    set_option(TRIM_THRESHOLD, 2 * KEPT)
