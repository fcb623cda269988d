"""What callers of the index have to expect besides wrong arguments."""

from __future__ import annotations


class VectorStoreUnavailable(Exception):  # noqa: N818 - says what is the case, as the service's errors do
    """The server that holds the vectors cannot be reached, or refuses; the text says which and why."""
