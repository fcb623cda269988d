"""What the records and the articles have in common: one index over one collection of passages."""

from __future__ import annotations

from index.passage_vectors import PassageVectors


class PassageCollection:
    """What the records and the articles have in common: one index over one collection of passages."""

    def __init__(self, index: PassageVectors) -> None:
        self.index = index

    @property
    def generation(self) -> int:
        """Revision of the collection the last search saw at least."""
        return self.index.generation

    def __len__(self) -> int:
        """Number of passages held."""
        return len(self.index)

    def refresh(self) -> None:
        """Take in everything committed before this call; every search does so itself."""
        self.index.refresh()

    def rebuild(self, *, progress: bool = False) -> None:
        """Build the index anew from the database."""
        self.index.rebuild(progress=progress)

    def save(self, *, min_changes: int = 1) -> bool:
        """Write a snapshot if `min_changes` revisions came since the last one; says whether it did."""
        return self.index.save(min_changes=min_changes)
