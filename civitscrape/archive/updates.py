"""How what became of a file is written into its row, and into those of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from civitscrape.archive import schema
from civitscrape.ledger import MediaState, now

if TYPE_CHECKING:
    from civitscrape.archive.shelf import Fate

LIMITED = "max_file_size="
"""What the reason of a file begins with that a person's limit left out."""


def row(fate: Fate, path: str | None) -> dict[str, Any]:
    """Make the parameters of ``UPDATE_MEDIA``."""
    stored = fate.state == MediaState.STORED
    return {
        "_key": fate.key,
        "_state": fate.state,
        "_path": path if stored else None,
        "_sha256": fate.sha256,
        "_size": fate.size,
        "_content_type": fate.content_type,
        "_error": fate.error,
        "_limited": int((fate.error or "").startswith(LIMITED)),
        "_url": fate.url,
        "_gave_up": 0 if stored else 1,
        "_fetched_at": now() if stored else None,
    }


def _bound(name: str, column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"_{name}", type_=column.type)


def _kept(name: str) -> Any:
    """Set a column, but never to nothing: a failed second download does not unsay the first."""
    column = schema.media.c[name]
    return sa.func.coalesce(_bound(name, column), column)


def _unless_replaced(name: str) -> Any:
    """Forget the WebP in whose place an original lies now, which is a WebP itself since it came again."""
    media = schema.media.c
    return sa.case((media.webp_path == _bound("path", media.path), sa.null()), else_=media[name])


UPDATE_MEDIA = (
    sa.update(schema.media)
    .where(schema.media.c.key == _bound("key", schema.media.c.key))
    .values(
        state=sa.case(
            (schema.media.c.state == MediaState.STORED, schema.media.c.state),
            else_=_bound("state", schema.media.c.state),
        ),
        error=sa.case(
            # A limit leaves out what would have been fetched once more; nothing is wrong with the file that is here.
            (
                (schema.media.c.state == MediaState.STORED) & (_bound("limited", schema.media.c.attempts) == 1),
                schema.media.c.error,
            ),
            else_=_bound("error", schema.media.c.error),
        ),
        attempts=schema.media.c.attempts + _bound("gave_up", schema.media.c.attempts),
        phash=sa.case(
            (schema.media.c.sha256 != _bound("sha256", schema.media.c.sha256), sa.null()), else_=schema.media.c.phash
        ),
        **{name: _kept(name) for name in ("url", "path", "sha256", "size", "content_type", "fetched_at")},
        **{name: _unless_replaced(name) for name in ("webp_path", "webp_size", "webp_quality", "webp_sha256")},
    )
)
"""What became of a file; a file that is in the store stays stored, whatever a second download met.

Other bytes look other than those before: their perceptual hash is to be made anew."""

UPDATE_IMAGES = (
    sa.update(schema.images)
    .where(schema.images.c.id == _bound("id", schema.images.c.id))
    .values(path=_bound("path", schema.images.c.path))
)
