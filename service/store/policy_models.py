"""The tables of what a newsroom sets while the service runs."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.models import Base, UtcDateTime


class PolicyRow(Base):
    """The one row of settings that were changed here; null leaves one to the environment.

    `version` rises with every change of the row and of the trust anchors.
    """

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column()
    target_fpr: Mapped[float | None] = mapped_column()
    countries: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TrustAnchorRow(Base):
    """A certificate whose C2PA signatures are trusted. `fingerprint`: the SHA-256 of its DER form, in hex."""

    __tablename__ = "trust_anchors"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    pem: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
