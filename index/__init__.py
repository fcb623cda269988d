"""Verified reporting: records, feeds and retrieval by vectors, words and time.

The middle floor: it uses ``classifiers`` and knows neither HTTP nor labels; what it needs from a
database or the network it names as a protocol in ``index.ports``.
"""
