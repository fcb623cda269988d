"""News sitemaps: what an outlet published in the last days, by headline."""

from __future__ import annotations

from collections.abc import Iterator

from index.feeds.content import FeedError, Item, moment_text
from index.feeds.xml import parse_xml

_SITE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


def read(content: bytes) -> Iterator[Item]:
    """The addresses with a headline. Raises FeedError for what is no sitemap, or an index of sitemaps."""
    root = parse_xml(content)
    if root.tag == f"{_SITE}sitemapindex":
        raise FeedError("this is an index of sitemaps; add the sitemaps it names")
    if root.tag != f"{_SITE}urlset":
        raise FeedError("not a sitemap: its root is no urlset")
    for entry in root.iter(f"{_SITE}url"):
        news = entry.find(f"{_NEWS}news")
        address = (entry.findtext(f"{_SITE}loc") or "").strip()
        if news is None or not address:
            continue
        publication = f"{_NEWS}publication/{_NEWS}"
        yield Item(
            address,
            {
                "claim": (news.findtext(f"{_NEWS}title") or "").strip(),
                "url": address,
                "publisher": (news.findtext(f"{publication}name") or "").strip() or None,
                "language": (news.findtext(f"{publication}language") or "").strip() or None,
                "published_at": moment_text(news.findtext(f"{_NEWS}publication_date")),
            },
        )
