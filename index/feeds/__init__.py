"""Feeds of verified reporting: the bytes of an answer in, records out. Fetching is the service's part."""

from index.feeds.content import FeedContent, FeedError, FeedKind, FeedSource, read_feed

__all__ = ["FeedContent", "FeedError", "FeedKind", "FeedSource", "read_feed"]
