"""What became of the download of a model file, in words that may be kept."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import Response

from civitscrape.civitai.answers import NO_ANSWER, no_answer
from civitscrape.civitai.roles import Role, stamp
from civitscrape.downloads.downloader import STOPPED
from civitscrape.items import ModelFile
from civitscrape.ledger import MediaState
from civitscrape.pipelines.files import fate

SIGNED = "https://bucket.example/model/31.bin?X-Amz-Algorithm=AWS4&X-Amz-Signature=5ec7e7"
FILE = ModelFile(id=31, version_id=29, name="lantern.safetensors")


def asked() -> Request:
    return Request(SIGNED, meta={**stamp(Role.STORAGE, SIGNED), "download_to": "31.part"})


@pytest.mark.parametrize(
    ("status", "state"), [(403, MediaState.FAILED), (500, MediaState.FAILED), (404, MediaState.GONE)]
)
def test_a_refusal_of_the_storage_names_the_file_and_no_signature(status, state):
    words = b'{"error": "bad signature 5ec7e7"}'

    became = fate(Response(SIGNED, status=status, body=words, request=asked()), FILE)

    assert became["status"] == state
    assert became["error"].startswith(f"https://bucket.example/model/31.bin answered {status}")
    assert "X-Amz" not in became["error"]
    assert "5ec7e7" not in became["error"]


def test_an_answer_that_never_came_is_told_without_the_signature():
    became = fate(no_answer(asked(), f"DownloadFailedError: {SIGNED}: the body broke off"), FILE)

    assert became["status"] == MediaState.FAILED
    assert "the body broke off" in became["error"]
    assert "X-Amz" not in became["error"]


def test_what_was_not_asked_for_any_more_is_still_wanted():
    became = fate(Response(SIGNED, status=NO_ANSWER, body=STOPPED.encode(), request=asked()), FILE)

    assert became == {"status": MediaState.WANTED}
