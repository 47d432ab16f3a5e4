"""The WebPs that lie beside their originals: they can be made again, so none is worth more than its original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civitscrape.archive.verify.planning import RESTORE, Plan, Settle, Sight, flaws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from civitscrape.archive.verify.planning import Holding, Look

AGAIN = "taken out of its row: `civitscrape convert` makes it again"


def plan(webp: Holding, looks: Mapping[str, Look], original: Look | None) -> Plan:
    """Decide what is wrong with a WebP, and what would mend it.

    Args:
        webp: what the rows say of it.
        looks: what was seen under each of its names.
        original: the original where it is whole; without one nothing of the WebP is let go of.
    """
    found = Plan(findings=list(flaws(webp, looks)))
    for finding in found.findings:
        finding.table = "media" if finding.table == webp.table else finding.table
    found.source = next((path for path in webp.paths() if looks[path].sight is Sight.WHOLE), None)
    if found.source is not None:
        for finding in found.findings:
            if finding.path is not None and looks[finding.path].sight in {Sight.MISSING, Sight.DAMAGED}:
                found.place.append(finding.path)
                finding.remedy = RESTORE.format(source=found.source)
        return found
    if original is None or any(look.sight is Sight.UNREADABLE for look in looks.values()):
        return found
    damaged = [path for path, look in looks.items() if look.sight is Sight.DAMAGED]
    # An original that was taken for whole by its size is no proof.
    found.drop, found.aside = (damaged, []) if original.sha256 is not None else ([], damaged)
    found.settle = Settle.FORGET
    for finding in found.findings:
        finding.remedy = AGAIN
    return found
