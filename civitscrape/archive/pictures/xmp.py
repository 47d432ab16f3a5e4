"""XMP (ISO 16684-1): what photo managers look for in a picture, and the record of the archive beside it.

A packet that was there stays letter by letter; ours goes in behind it. Only where it already has subjects, creators or
a source are those joined with ours, since a property may stand in a packet once.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from xml.dom import minidom
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from civitscrape.exceptions import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
OURS = "urn:civitscrape:xmp:1.0/"
"""Name of our own properties; a name, not an address."""

_JOINED = ("subject", "creator", "source")
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="w"?>'
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Signs that XML has no way to write."""
_CLOSING = re.compile(r"</(?:[\w.-]+:)?RDF\s*>")

_DESCRIPTION = re.compile(rf'<rdf:Description\b[^>]*"{OURS}"[^>]*>.*?</rdf:Description>', re.DOTALL)
"""Our own description: no other is within it, since all that it holds is text and lists."""


@dataclass(slots=True, kw_only=True)
class Said:
    """What the archive says in a packet."""

    subjects: list[str] = field(default_factory=list)
    """``dc:subject``: community tags, and what else the picture was tagged with."""
    creators: list[str] = field(default_factory=list)
    """``dc:creator``."""
    source: str | None = None
    """``dc:source``: address of the picture's page."""
    record: dict[str, Any] | None = None
    """``civitscrape:record``, as JSON: what a sidecar says."""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """``civitscrape:texts``, as JSON: texts of the original that have no other place."""


def build(said: Said, before: bytes | None = None) -> bytes:
    """Write a packet, into the one that was there before.

    What was there before and cannot be kept as it is, is kept as one more of the texts.
    """
    if before is None:
        return _packet(said)
    old = _text(before)
    found = _parsed(old)
    if found is None:
        return _packet(replace(said, texts=[*said.texts, _kept(before)]))
    if (place := _place_in(old)) is not None and not _properties(found):
        return (old[:place] + _description(said) + old[place:]).encode()
    there = _read(found)
    joined = replace(
        said,
        subjects=_union(there.subjects, said.subjects),
        creators=_union(there.creators, said.creators),
        source=said.source or there.source,
        texts=[*said.texts, _kept(before)],
    )
    return _merged(old, joined) or _packet(joined)


def read(packet: bytes) -> Said:
    """Read what a packet says.

    Raises:
        PictureError: it is no XMP.
    """
    found = _parsed(_text(packet))
    if found is None:
        raise PictureError("its XMP cannot be read")
    return _read(found)


def revised(said: Said, packet: bytes | None) -> bytes:
    """Write our own description in a packet anew; the rest of it stays letter by letter."""
    text = _text(packet) if packet else ""
    if not _DESCRIPTION.search(text):
        return build(said, packet)
    return _DESCRIPTION.sub(lambda _: _description(said), text, count=1).encode()


def is_kept(before: bytes, after: bytes, said: Said) -> bool:
    """Tell whether all of a packet is in another one, letter by letter; or else among the texts of that."""
    old, new = _text(before), _text(after)
    place = _place_in(old)
    around = place is not None and new.startswith(old[:place]) and new.endswith(old[place:])
    return around or _kept(before) in said.texts


def _text(packet: bytes) -> str:
    return packet.decode("utf-8", "replace").strip("\ufeff\0 \r\n")


def _kept(packet: bytes) -> tuple[str, str]:
    """Make a text of a packet; one that is no UTF-8 is spelt out."""
    try:
        return "XML:com.adobe.xmp", packet.decode()
    except UnicodeDecodeError:
        return "xmp base64", b64encode(packet).decode()


def clean(word: str) -> str:
    """Leave out what XML has no way to write."""
    return _NO_XML.sub("", word)


def _parsed(text: str) -> ET.Element | None:
    """Parse a packet; one with a document type could grow without end, and XMP has none."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 (no document type, so no entities)
    except (ET.ParseError, ValueError, RecursionError):
        return None
    return root if root.find(f".//{{{RDF}}}Description") is not None else None


def _place_in(text: str) -> int | None:
    """Find where our description goes; None where the ends are not plain."""
    ends = list(_CLOSING.finditer(text))
    return ends[0].start() if len(ends) == 1 else None


def _properties(root: ET.Element) -> list[str]:
    """Name the properties of a packet that ours would repeat, our own included."""
    found = []
    for description in root.iter(f"{{{RDF}}}Description"):
        names = {*description.keys(), *(child.tag for child in description)}
        found += [one for one in _JOINED if f"{{{DC}}}{one}" in names]
        found += [one for one in names if one.startswith(f"{{{OURS}}}")]
    return found


def _read(root: ET.Element) -> Said:
    said = Said()
    for description in root.iter(f"{{{RDF}}}Description"):
        said.subjects += _items(description, "subject")
        said.creators += _items(description, "creator")
        said.source = said.source or next(iter(_items(description, "source")), None)
        record, texts = (description.findtext(f"{{{OURS}}}{name}") for name in ("record", "texts"))
        try:
            said.record = json.loads(record) if record else said.record
            said.texts += [(str(name), str(text)) for name, text in json.loads(texts)] if texts else []
        except (ValueError, TypeError, RecursionError) as error:
            raise PictureError("the record in it cannot be read") from error
    return said


def _items(description: ET.Element, name: str) -> list[str]:
    """Read a property, be it a list, an element or an attribute."""
    found = [description.get(f"{{{DC}}}{name}") or ""]
    for one in description.findall(f"{{{DC}}}{name}"):
        items = one.findall(f".//{{{RDF}}}li")
        found += [item.text or "" for item in items] or [one.text or ""]
    return [one for one in found if one.strip()]


def _union(first: Sequence[str], second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _packet(said: Said) -> bytes:
    body = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{_description(said)}</rdf:RDF></x:xmpmeta>'
    return f"{_HEAD}{body}{_TAIL}".encode()


def _description(said: Said) -> str:
    parts = []
    for name, kind, words in (("subject", "Bag", said.subjects), ("creator", "Seq", said.creators)):
        if words:
            items = "".join(f"<rdf:li>{_escaped(clean(word))}</rdf:li>" for word in words)
            parts.append(f"<dc:{name}><rdf:{kind}>{items}</rdf:{kind}></dc:{name}>")
    if said.source:
        parts.append(f"<dc:source>{_escaped(clean(said.source))}</dc:source>")
    for name, value in (("record", said.record), ("texts", said.texts)):
        if value:
            # ASCII, so that nothing in it is beyond XML: control characters come as escapes.
            parts.append(f"<civitscrape:{name}>{escape(json.dumps(value, default=str))}</civitscrape:{name}>")
    spaces = f'xmlns:rdf="{RDF}" xmlns:dc="{DC}" xmlns:civitscrape="{OURS}"'
    return f'<rdf:Description {spaces} rdf:about="">{"".join(parts)}</rdf:Description>'


def _escaped(text: str) -> str:
    """Escape, line ends included: a parser would make one kind of all of them."""
    return escape(text, {"\r": "&#13;"})


def _merged(old: str, said: Said) -> bytes | None:
    """Put our description into a packet, in place of the properties that it repeats."""
    repeated = [(DC, name) for name in _JOINED] + [(OURS, name) for name in ("record", "texts")]
    try:
        document = minidom.parseString(old.encode())  # noqa: S318 (as above)
        ours = minidom.parseString(_description(said).encode())  # noqa: S318
    except (ExpatError, RecursionError):
        return None
    roots = document.getElementsByTagNameNS(RDF, "RDF")
    if len(roots) != 1 or document.documentElement is None or ours.documentElement is None:
        return None
    for description in roots[0].getElementsByTagNameNS(RDF, "Description"):
        for space, name in repeated:
            for element in description.getElementsByTagNameNS(space, name):
                if element.parentNode is not None:
                    element.parentNode.removeChild(element)
            if description.hasAttributeNS(space, name):
                description.removeAttributeNS(space, name)
    roots[0].appendChild(document.importNode(ours.documentElement, deep=True))
    try:
        return f"{_HEAD}{document.documentElement.toxml()}{_TAIL}".encode()
    except (RecursionError, UnicodeEncodeError):
        return None
