"""What a refusal of the site means, and what to do about it (contract rest.md §9, §12c, trpc-and-pages.md §3)."""

from __future__ import annotations

import json
import re
from typing import Any

from civitscrape.exceptions import (
    AnswerError,
    ArchivedError,
    BadArgumentError,
    EarlyAccessError,
    ForbiddenError,
    LoginError,
    NotFoundError,
    PaidError,
    QuotaError,
    RegionError,
)

LONGEST_WORDS = 300
"""Characters of the site's own words that an error repeats."""

LOG_IN = "set CIVITAI_API_KEY or CIVITAI_COOKIES; where one is set, it is no longer valid"
BUY = "buy access on the site, then use the key or the cookies of that account"

BLOCKED = "the site gives no files to this account, or to the address you ask from; only its support can change that"
LATER = "the same command may fare better later"
KEEP = "its record can be kept, its file cannot be had"

_MEANINGS: tuple[tuple[int, str, type[AnswerError], str], ...] = (
    (400, "", BadArgumentError, ""),
    (401, "public API instead", LoginError, f"this call is taken only from who is logged in: {LOG_IN}"),
    (401, "disabled downloads", ForbiddenError, KEEP),
    (401, "", LoginError, LOG_IN),
    (403, "Early Access", PaidError, BUY),
    (403, "scope", ForbiddenError, "make a key with the rights of Read Only in the settings of your account"),
    (403, "", ForbiddenError, "it is not open to this account, or only to those who log in"),
    # The thing that was asked about may well be there.
    (404, "No procedure found", BadArgumentError, "the site has changed; look for a newer civitscrape"),
    (404, "", NotFoundError, ""),
    (410, "", ArchivedError, KEEP),
    (429, "downloading", QuotaError, "the site counts the files of 24 hours; the same command goes on tomorrow"),
    (429, "cursors instead", BadArgumentError, ""),
    (451, "", RegionError, "the site decides this by where you ask from"),
)
"""Status, words of the site, what they mean, and the way out; the first that fits (rest.md §9, §12c)."""

_PASSING = frozenset({408, 425, 429, *range(500, 512), *range(520, 531)})
_SIZES = {"array": ("too many", "too few"), "string": ("too long", "too short")}
_PRETTY = re.compile(r"✖ *([^✖\n]+)(?:\s*→ at ([^✖\n]+))?")


def understand(place: str, status: int, body: Any) -> AnswerError:
    """Make the error that a refusal stands for.

    Args:
        place: what was asked for, as the sentence should name it.
        status: of the answer, or of one call in a batch.
        body: the answer as JSON gave it, or its text.
    """
    said = words(body)[:LONGEST_WORDS] or "no words"
    sentence = f"{place} answered {status}: {said}"
    deadline = body.get("deadline") if isinstance(body, dict) else None
    if status == 403 and isinstance(deadline, str):  # noqa: PLR2004 (HTTP's Forbidden)
        return EarlyAccessError(
            f"{sentence}; it is free for all from {deadline}; before that, {BUY}", deadline=deadline
        )
    if status == 403 and said == "Forbidden" and "/api/download/" in place:  # noqa: PLR2004 (as above)
        return ForbiddenError(f"{sentence}; {BLOCKED}")
    kind, way_out = _meaning(status, said)
    return kind(f"{sentence}; {way_out}" if way_out else sentence)


def words(body: Any) -> str:
    r"""Find the sentence in any of the error bodies; what zod found is told field by field.

    >>> words({"error": {"name": "ZodError", "message": '[{"code": "too_big", "maximum": 100, "path": ["limit"]}]'}})
    'limit: too big, at most 100'
    >>> words({"error": "✖ Invalid input: expected number, received NaN\n  → at id"})
    'id: expected number, received NaN'
    >>> words({"error": "Unauthorized", "message": "The creator requires a login"})
    'Unauthorized; The creator requires a login'
    """
    if isinstance(body, list):
        return "; ".join(_issue(one) if isinstance(one, dict) else words(one) for one in body)
    if isinstance(body, dict):
        return "; ".join(words(body[key]) for key in ("error", "message") if body.get(key))
    text = str(body)
    issues = _issues(text)
    return " ".join((words(issues) if issues else text).split())


def _issues(text: str) -> list[Any]:
    """Read what zod wrote as text: JSON, or lines for people; empty when it is neither."""
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return []
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [{"message": what, "path": [where.strip()] if where else []} for what, where in _PRETTY.findall(text)]


def _issue(issue: dict[str, Any]) -> str:
    """Tell one thing that zod found."""
    big, small = _SIZES.get(str(issue.get("origin")), ("too big", "too small"))
    inclusive = issue.get("inclusive", True)
    match issue:
        case {"code": "too_big", "maximum": most}:
            text = f"{big}, {'at most' if inclusive else 'less than'} {most}"
        case {"code": "too_small", "minimum": least}:
            text = f"{small}, {'at least' if inclusive else 'more than'} {least}"
        case {"code": "invalid_value", "values": [_, *_] as values}:
            text = f"must be one of {', '.join(map(str, values))}"
        case _:
            text = str(issue.get("message") or "not taken").removeprefix("Invalid input: ")
    path = issue.get("path")
    place = ".".join(map(str, path)) if isinstance(path, list) else ""
    return f"{place}: {text}" if place else text


def _meaning(status: int, said: str) -> tuple[type[AnswerError], str]:
    """Tell which error a status and the site's words stand for, and the way out."""
    for meant, phrase, kind, way_out in _MEANINGS:
        if meant == status and phrase in said:
            return kind, way_out
    return AnswerError, LATER if status in _PASSING else ""
