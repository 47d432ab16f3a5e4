"""The garbage collector's pace during a crawl."""

from __future__ import annotations

import gc

from civitscrape.extensions.thrift import THRESHOLD, Thrift


def test_the_collector_is_slow_during_a_crawl_and_as_before_afterwards():
    before = gc.get_threshold()
    thrift = Thrift()

    thrift.open()
    during, frozen = gc.get_threshold(), gc.get_freeze_count()
    thrift.close()

    assert during == THRESHOLD
    assert frozen > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
