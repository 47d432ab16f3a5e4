"""The tree of what can go wrong, and who raises it.

::

    CivitscrapeError
    ├── ArgumentError        spiders, commands: something a person typed; nothing was asked of the site yet
    │   └── UnarchivableError  civitai: a pasted text that names nothing that can be archived
    ├── AnswerError          civitai: the site answered, but not with what was asked for
    │   ├── EnvelopeError    civitai.rest, pages, encoding: the outer shape of an answer is broken
    │   ├── ChallengeError   civitai.rest, pages: HTML where JSON was asked for, or a page of the edge
    │   ├── NotFoundError    civitai: the site says that there is no such thing
    │   ├── ArchivedError    civitai: the thing is there, but no longer given out
    │   ├── BadArgumentError civitai: the site does not take what it was asked
    │   ├── LoginError       civitai: the site wants to know who asks, or does not believe it
    │   ├── ForbiddenError   civitai: the site knows who asks, and says no
    │   │   └── PaidError    civitai: only who has paid gets it
    │   │       └── EarlyAccessError  civitai: the same, until a date
    │   ├── RegionError      civitai: the site does not serve the country that is asked from
    │   ├── QuotaError       civitai: so much was downloaded that the site stops for a day
    │   └── EchoError        spiders: an answer about somebody else than was asked for
    ├── EntryError           parsers: one entry lacks what it must have; the entry is kept as a payload
    ├── ArchiveError         archive: the folder or the database cannot be used
    │   ├── NoRoomError      downloads: the disk has no room for a file
    │   ├── OccupiedError    downloads.part: another process is writing the same file
    │   └── LockedError      archive: another program has a file open, as only Windows forbids
    ├── BusyError            archive.walks: another run is at the same walk right now
    ├── PictureError         archive.pictures: a picture cannot be converted, or is better left as it is
    └── UntrustedCertificateError  downloads.trust: a server is not who it says it is
"""

from __future__ import annotations


class CivitscrapeError(Exception):
    """Anything that civitscrape itself raises."""


class ArgumentError(CivitscrapeError):
    """Something a person typed is wrong; raised by spiders and commands before the first request."""


class UnarchivableError(ArgumentError):
    """A pasted text names nothing that can be archived; raised in ``civitai`` with the reason and the way out."""


class AnswerError(CivitscrapeError):
    """The site answered, but not with what was asked for; raised in ``civitai``."""


class EnvelopeError(AnswerError):
    """The outer shape of an answer is broken: not JSON, a missing list, a cursor of the wrong type."""


class ChallengeError(AnswerError):
    """HTML where JSON was asked for, or a page that the edge put in front of the site."""


class NotFoundError(AnswerError):
    """The site says that there is no such thing."""


class ArchivedError(AnswerError):
    """The thing is there, but its creator archived it, and its files are no longer given out."""


class BadArgumentError(AnswerError):
    """The site does not take what it was asked, and says what is wrong with it; asking again is of no use."""


class LoginError(AnswerError):
    """The site wants a login, or does not believe the one it got; a key or cookies help."""


class ForbiddenError(AnswerError):
    """The site knows who asks, and says no: the key lacks a right, or the creator gave none."""


class PaidError(ForbiddenError):
    """Only who has bought it gets it."""


class EarlyAccessError(PaidError):
    """Only who has bought it gets it, until a date.

    Attributes:
        deadline: when everybody gets it, ISO 8601 as the site wrote it.
    """

    def __init__(self, message: str, *, deadline: str) -> None:
        super().__init__(message)
        self.deadline = deadline


class RegionError(AnswerError):
    """The site does not serve the country that it was asked from."""


class QuotaError(AnswerError):
    """So much was downloaded within a day that the site gives out no more files for now."""


class EchoError(AnswerError):
    """An answer speaks of somebody else than was asked for; the walk stops."""


class EntryError(CivitscrapeError):
    """One entry of an answer lacks what it must have.

    Attributes:
        field: dotted path of the field, such as ``stats.likeCount``.
        entry_id: id of the entry as it came, or None.
    """

    def __init__(self, message: str, *, field: str, entry_id: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.entry_id = entry_id


class ArchiveError(CivitscrapeError):
    """The folder or the database cannot be used."""


class BusyError(CivitscrapeError):
    """Another run is at the same walk right now; the sentence names it."""


class PictureError(CivitscrapeError):
    """A picture cannot be converted, or is better left as it is; the message says why, of "it"."""


class NoRoomError(ArchiveError):
    """The disk has no room for a file; raised in ``downloads`` before the file is begun. Smaller ones may still fit."""


class OccupiedError(ArchiveError):
    """Another process is writing the same part; raised in ``downloads``."""


class LockedError(ArchiveError):
    """Another program has a file open that is to be replaced; raised in ``archive.shelf``, and of this file alone."""
