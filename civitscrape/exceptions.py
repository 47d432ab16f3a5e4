"""The tree of what can go wrong, and who raises it.

::

    CivitscrapeError
    ├── ArgumentError        spiders, commands: something a person typed; nothing was asked of the site yet
    ├── AnswerError          civitai: the site answered, but not with what was asked for
    │   ├── EnvelopeError    civitai.rest, pages, encoding: the outer shape of an answer is broken
    │   ├── ChallengeError   civitai.rest, pages: HTML where JSON was asked for, or a page of the edge
    │   ├── NotFoundError    civitai: the site says that there is no such thing
    │   └── EchoError        spiders: an answer about somebody else than was asked for
    ├── EntryError           parsers: one entry lacks what it must have; the entry is kept as a payload
    ├── ArchiveError         archive: the folder or the database cannot be used
    └── UntrustedCertificateError  downloads.trust: a server is not who it says it is
"""

from __future__ import annotations


class CivitscrapeError(Exception):
    """Anything that civitscrape itself raises."""


class ArgumentError(CivitscrapeError):
    """Something a person typed is wrong; raised by spiders and commands before the first request."""


class AnswerError(CivitscrapeError):
    """The site answered, but not with what was asked for; raised in ``civitai``."""


class EnvelopeError(AnswerError):
    """The outer shape of an answer is broken: not JSON, a missing list, a cursor of the wrong type."""


class ChallengeError(AnswerError):
    """HTML where JSON was asked for, or a page that the edge put in front of the site."""


class NotFoundError(AnswerError):
    """The site says that there is no such thing."""


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
