"""The one way out to the network: off unless it is switched on, and never into the newsroom's own."""

from service.fetching.fetcher import Fetched, Fetcher, FetchError, FetchingOff
from service.fetching.posting import Posted, Poster

__all__ = ["FetchError", "Fetched", "Fetcher", "FetchingOff", "Posted", "Poster"]
