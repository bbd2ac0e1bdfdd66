"""The list of models as an RSS 2.0 feed, for readers that tell of new ones."""

from collections.abc import Iterable
from email.utils import formatdate
from xml.sax.saxutils import escape

from router.protocol.model_object import ModelCard

MEDIA_TYPE = "application/rss+xml; charset=utf-8"
_NOT_XML = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def render_rss(cards: Iterable[ModelCard]) -> bytes:
    """One item for each model, in their order; links are paths of this API."""
    items = "".join(_item(card) for card in cards)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0"><channel><title>Models</title><link>/api/v1/models</link>'
        f"<description>Models that are served here</description>{items}</channel></rss>\n"
    ).encode(errors="replace")


def _item(card: ModelCard) -> str:
    return (
        f"<item><title>{_text(card.name)}</title><link>/api/v1/models/{_text(card.id)}/endpoints</link>"
        f'<guid isPermaLink="false">{_text(card.id)}</guid><pubDate>{formatdate(card.created, usegmt=True)}</pubDate>'
        f"<description>{_text(card.description)}</description></item>"
    )


def _text(text: str) -> str:
    return escape(text.translate(_NOT_XML))
