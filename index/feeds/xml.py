"""XML from strangers: no entities, no network, no unbounded trees."""

from __future__ import annotations

from lxml import etree  # type: ignore[import-untyped]

from index.feeds.content import FeedError


def parse_xml(content: bytes) -> etree._Element:
    """The root element. Raises FeedError for what is not XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError(f"not XML: {error}") from error
    if root is None:
        raise FeedError("not XML: there is no element in it")
    return root
