"""`civitscrape sandbox`: a small Civitai on this machine."""

from __future__ import annotations

from civitscrape.sandbox.__main__ import serve

sandbox = serve
