"""What the order of a collection leads to."""

from __future__ import annotations

from typing import Any

import pytest

from civitscrape.ledger import Walk
from civitscrape.spiders.collection import ORDER, places
from civitscrape.spiders.listings.feeds import CollectionOrder

WALK = Walk(run_id="r", source=ORDER, target="collection:7", level=3, params={"collectionId": 7})
LISTING = CollectionOrder(site="https://civitai.com", media_url="https://image.example/account")


def test_a_model_in_the_order_is_asked_for_by_its_id():
    entry = {"position": 2, "item": {"id": 70, "type": "model", "data": {"id": 5}}}

    found = places(LISTING, entry, WALK)

    assert [(one.collection_id, one.position, one.entry_id) for one in found] == [(7, 2, 5)]


@pytest.mark.parametrize("item", [None, {}, {"id": 70, "type": "model"}, {"type": 5, "data": "x"}])
def test_a_place_that_cannot_be_read_leads_nowhere(item: Any):
    found = places(LISTING, {"position": 0, "item": item}, WALK)

    assert found == []
