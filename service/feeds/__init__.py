"""Feeds kept up to date: when each is due, which records it adds, corrects and takes back."""

from service.feeds.refresh import FeedRefresh, Refreshed, fetcher_of, new_feed

__all__ = ["FeedRefresh", "Refreshed", "fetcher_of", "new_feed"]
