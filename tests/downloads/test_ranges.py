"""The arithmetic of ranges: whatever a server says, what is put together is the file or nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from civitscrape.downloads import ranges
from civitscrape.downloads.ranges import Source, Span, Verdict

SIZES = st.integers(0, 2**45)


@given(st.integers(1, 2**45), st.data())
def test_what_is_written_is_read_back(size, data):
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))

    assert ranges.read(f"bytes {start}-{stop - 1}/{size}") == Span(start, stop, size)
    assert ranges.read(f"bytes {start}-{stop - 1}/*") == Span(start, stop, None)


@given(st.text())
def test_no_text_is_misread(text):
    span = ranges.read(text)

    assert span is None or 0 <= span.start <= span.stop


@given(st.integers(), st.integers(), st.integers())
def test_a_range_that_contradicts_itself_is_none(first, last, size):
    span = ranges.read(f"bytes {first}-{last}/{size}")

    assert (span is not None) == (0 <= first <= last < size)


@given(kept=st.integers(1, 2**45), known=st.none() | SIZES, start=SIZES, stop=SIZES, size=st.none() | SIZES)
def test_a_download_goes_on_only_from_its_own_end_to_the_end_of_the_same_file(kept, known, start, stop, size):
    header = f"bytes {start}-{stop - 1}/{'*' if size is None else size}"

    verdict = ranges.judge(206, {"Content-Range": header}, kept, Source(url="", size=known))

    if verdict is Verdict.GOES_ON:
        whole = size if size is not None else known
        assert start == kept < stop == whole
        assert known in {None, whole}
    else:
        assert verdict is Verdict.CHANGED


@given(kept=st.integers(1, 2**45), known=st.none() | st.integers(2, 2**45))
def test_the_answer_of_an_honest_server_is_taken(kept, known):
    size = known if known is not None else kept + 1
    header = {"Content-Range": f"bytes {kept}-{size - 1}/{size}", "ETag": '"a"'}
    source = Source(url="", size=known, etag='"a"')

    verdict = ranges.judge(206, header, kept, source)

    assert verdict is (Verdict.GOES_ON if kept < size else Verdict.CHANGED)


@given(kept=st.integers(1, 2**45), size=SIZES)
def test_416_means_whole_only_when_the_size_agrees(kept, size):
    verdict = ranges.judge(416, {"Content-Range": f"bytes */{size}"}, kept, Source(url="", size=kept))

    assert (verdict is Verdict.WHOLE) == (size == kept)


@given(st.sampled_from([200, 204, 301, 307, 403, 404, 500, 503]))
def test_other_answers_say_nothing_of_the_part(status):
    assert ranges.judge(status, {}, 5, Source(url="")) is Verdict.OTHER
