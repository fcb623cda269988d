"""What is told of the work while it is done: phases, waiting, transactions.

Code that works calls an `Observer`; this one looks away, so that commands pay nothing. The service gives its
runtime one that counts and traces (`service.telemetry`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal

Transaction = Literal["read", "write"]


class Observer:
    """Looks away. Methods may be called from any thread; none of them raises."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Around one phase of the models' work, such as `origin`."""
        return nullcontext()

    def job(self, waited: float, *, background: bool = False) -> AbstractContextManager[None]:
        """Around everything the model thread does for one request, which has waited for `waited` seconds, or
        for one piece of work in the background.
        """
        return nullcontext()

    def batch(self, tokens: int) -> None:
        """The encoder computes `tokens` tokens at once, padding included."""

    def transaction(self, kind: Transaction) -> AbstractContextManager[None]:
        """Around one transaction of the database, from asking for a connection to its end."""
        return nullcontext()


UNOBSERVED: Final = Observer()
