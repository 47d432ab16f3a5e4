"""Names that somebody may have chosen to do harm, and the written rules that a name must keep."""

from __future__ import annotations

import re

from hypothesis import strategies as st

DEVICES = r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9¹²³]) *(\..*)?"
"""Microsoft, "Naming Files, Paths, and Namespaces": reserved with any extension, spaces before it included."""

HOSTILE = [
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "\\\\server\\share",
    "C:\\Windows",
    ".",
    ".parts",
    " ",
    " . . ",
    "nul\0byte",
    "CON",
    "con.txt",
    "Com1",
    "LPT¹",
    "conin$",
    "n",
    "1",
    "trailing...",
    "trailing   ",
    "   leading",
    "x" * 300,
    "夜の港" * 100,
    "🏮" * 100,
    "e\u0301" * 200,
    "\u0301\u0338",
    "Lantern",
    "lantern",
    "LANTERN",
    "ﬁeld",
    "\u202etxt.exe",
    "\u200b",
    "\ud800",
    "\udfff lone",
    "-rf",
    "~",
    "~root",
    "a\nb\tc",
    "*?<>|:\"'",
    "-deleted",
    "name~1a2b3c4d",
    "{id}",
    "%2e%2e%2f",
    "\ufdd0\U0010ffff",
]

hostile_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(categories=None), max_size=400),
    st.text(st.sampled_from("./\\ :~-_\0\u202e\u0301\ud83cconCONauxnul1¹é🏮"), max_size=30),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=5), st.integers(1, 200)),
)


def breaks_windows_rule(part: str) -> str | None:
    """Say which of the written rules for names a part breaks."""
    if not part or part in {".", ".."}:
        return "empty, or a step"
    if re.search(r'[<>:"/\\|?*\x00-\x1f]', part):
        return "reserved character"
    if part[-1] in " .":
        return "ends in a space or a dot"
    if re.fullmatch(DEVICES, part):
        return "device"
    return None
