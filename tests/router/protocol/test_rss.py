"""The list of models as a feed."""

import dataclasses
from xml.etree import ElementTree

from router.protocol.rss import render_rss
from tests.router.protocol.test_model_object import CARD


def test_a_feed_has_an_item_for_each_model() -> None:
    odd = dataclasses.replace(CARD, name="<Eyes> & \x00\ud800", description="a\nb")
    items = list(ElementTree.fromstring(render_rss([CARD, odd])).iter("item"))
    assert ["Eyes", "<Eyes> & ?"] == [item.findtext("title") for item in items]
    assert "/api/v1/models/m/eyes/endpoints" == items[0].findtext("link")
    assert "Mon, 17 Mar 2025 19:15:37 GMT" == items[0].findtext("pubDate")
