"""Which certificates are trusted: those of the system, and those of the file that SSL_CERT_FILE names."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from scrapy.utils.ssl import _make_ssl_context

from civitscrape.exceptions import ArgumentError, CivitscrapeError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings


class UntrustedCertificateError(CivitscrapeError):
    """A server's certificate is not trusted; raised by the download handler, and not worth a retry."""


_CONTEXTS: WeakKeyDictionary[Crawler, ssl.SSLContext] = WeakKeyDictionary()


def context_of(crawler: Crawler) -> ssl.SSLContext:
    """Make the TLS context of a crawl once, for http (proxies) and https alike: reading authorities takes a while."""
    if crawler not in _CONTEXTS:
        _CONTEXTS[crawler] = make_context(crawler.settings)
    return _CONTEXTS[crawler]


def make_context(settings: BaseSettings) -> ssl.SSLContext:
    """Make the TLS context of Scrapy's settings (versions, ciphers, DOWNLOAD_VERIFY_CERTIFICATES).

    OpenSSL reads SSL_CERT_FILE itself, but in place of its own file of authorities; here that file is added.

    Raises:
        ArgumentError: SSL_CERT_FILE names something that holds no certificates.
    """
    context = _make_ssl_context(settings)
    extra = os.environ.get("SSL_CERT_FILE")
    if context.verify_mode is ssl.CERT_NONE or not extra:
        return context
    try:
        context.load_verify_locations(cafile=extra)
    except OSError as error:
        raise ArgumentError(f"SSL_CERT_FILE: {extra!r}: no certificates can be read from it ({error})") from error
    default = ssl.get_default_verify_paths()
    if Path(default.openssl_cafile).is_file():
        context.load_verify_locations(cafile=default.openssl_cafile)
    if Path(default.openssl_capath).is_dir():
        context.load_verify_locations(capath=default.openssl_capath)
    return context
