"""Which sentences are claims worth checking."""

from classifiers.checkworthy.spotter import ClaimSpotter

__all__ = ["ClaimSpotter"]
