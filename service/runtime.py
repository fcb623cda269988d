"""The wiring: settings in; models, store and use cases out.

Everything is built on first use, so that a command pays only for what it touches. `load` builds everything
that the service needs. A runtime belongs to one thread; the service gives it a thread of its own
(`service.serving.worker`).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from service.errors import ConfigurationError
from service.observer import UNOBSERVED, Observer
from service.settings import Settings

if TYPE_CHECKING:
    from classifiers.ai_text import Detector
    from classifiers.checkworthy import ClaimSpotter
    from classifiers.models import Encoder
    from classifiers.stance import MatchCalibration, StanceModel
    from service.analysis import Analyser
    from service.labels.issuing import LabelDesk
    from service.labels.opening import LabelOffice
    from service.library import Library
    from service.matching import ClaimMatcher
    from service.policy import PolicyDesk
    from service.reviews.desk import ReviewDesk
    from service.store import Store

log = logging.getLogger(__name__)

WARM_UP: Final = "The public library of the town opened on 12 May 1911 and holds 40,000 books."


class Runtime:
    """What one process needs to answer, built from its settings.

    `progress` shows progress bars on standard error while models are prepared or an index is built.
    """

    def __init__(self, settings: Settings, *, progress: bool = False) -> None:
        self.settings = settings
        self.progress = progress
        self.observer: Observer = UNOBSERVED

    def observe(self, observer: Observer) -> None:
        """Have this observer told of the work. Call it before anything is loaded; the store may be open."""
        self.observer = observer
        if "store" in self.__dict__:
            self.store.database.observer = observer

    def loaded_models(self) -> dict[str, str]:
        """Version by name of the models that are in memory."""
        named = {
            "encoder": "model_id",
            "search_encoder": "model_id",
            "detector": "model_version",
            "spotter": "model_version",
            "stance": "model_version",
            "match_calibration": "model_version",
        }
        loaded = {name: self.__dict__[name] for name in named if name in self.__dict__}
        return {name: str(getattr(model, named[name])) for name, model in loaded.items()}

    def loaded_library(self) -> Library | None:
        """The library if it is open."""
        library: Library | None = self.__dict__.get("library")
        return library

    def load(self) -> None:
        """Build everything now and analyse a sentence with it; raises what that raises.

        The sentence loads what loads on first use, so that the first caller does not wait for it and a
        damaged file shows here, not in an answer.
        """
        from service.articles import ArticleInput

        self.analyser.analyse(ArticleInput(text=WARM_UP))
        _ = self.matcher

    @cached_property
    def encoder(self) -> Encoder:
        """The packaged encoder, which the trained heads were fitted on."""
        return self._load_encoder(None)

    @cached_property
    def search_encoder(self) -> Encoder:
        """The encoder of the indexes: TAMGA_ENCODER, or the packaged one."""
        if self.settings.encoder is None:
            return self.encoder
        return self._load_encoder(self.settings.encoder)

    def _load_encoder(self, name: str | None) -> Encoder:
        from classifiers.models import ModelFilesError, load_encoder, prepare_models

        try:
            prepare_models(progress=self.progress)
            return load_encoder(
                name,
                backend=self.settings.backend,
                threads=self.settings.threads,
                on_batch=self.observer.batch,
                remember=self.settings.remembered_texts,
            )
        except ModelFilesError as error:
            raise ConfigurationError(str(error)) from error

    @cached_property
    def detector(self) -> Detector:
        from classifiers.ai_text import Detector

        return Detector.load(threads=self.settings.threads)

    @cached_property
    def spotter(self) -> ClaimSpotter:
        from classifiers.checkworthy import ClaimSpotter

        return ClaimSpotter.load()

    @cached_property
    def stance(self) -> StanceModel:
        from classifiers.stance import StanceModel

        return StanceModel.load(threads=self.settings.threads, remember=self.settings.remembered_texts)

    @cached_property
    def match_calibration(self) -> MatchCalibration:
        from classifiers.stance import MatchCalibration

        return MatchCalibration.load()

    @cached_property
    def store(self) -> Store:
        """The database, opened and migrated. Unlike everything else here it may be used by any thread."""
        from service.store import open_store

        store = open_store(self.settings.database)
        store.database.observer = self.observer
        return store

    @cached_property
    def policy(self) -> PolicyDesk:
        """What an administrator may change while the service runs; may be used by any thread."""
        from service.policy import PolicyDesk

        return PolicyDesk(self.settings, self.store)

    @cached_property
    def label_office(self) -> LabelOffice:
        """Keys, certificates and readers of labels; may be used by any thread."""
        from service.labels.opening import LabelOffice

        return LabelOffice(self.settings, lambda: self.policy.added_anchors())

    @cached_property
    def labels(self) -> LabelDesk:
        """Where labels are made and checked; may be used by any thread."""
        return self.label_office.desk(self.store)

    @cached_property
    def reviews(self) -> ReviewDesk:
        """Where reviewers decide; may be used by any thread."""
        from service.reviews.desk import ReviewDesk

        lock = timedelta(minutes=self.settings.review_lock_minutes)
        return ReviewDesk(self.store, lambda: self.labels, lock=lock)

    @cached_property
    def library(self) -> Library:
        """Database and indexes, opened, migrated and caught up."""
        from service.library import open_library

        library = open_library(self.settings, self.search_encoder, store=self.store, progress=self.progress)
        for notice in library.notices:
            log.warning("%s", notice)
        return library

    @cached_property
    def matcher(self) -> ClaimMatcher:
        from service.matching import ClaimMatcher

        return ClaimMatcher(
            self.library.records,
            heads_encoder=self.encoder,
            search_encoder=self.search_encoder,
            stance=self.stance,
            calibration=self.match_calibration,
        )

    @cached_property
    def analyser(self) -> Analyser:
        from service.analysis import Analyser

        return Analyser(self)

    def close(self) -> None:
        """Save and close what was opened."""
        library = self.__dict__.pop("library", None)
        store = self.__dict__.pop("store", None)
        if library is not None:
            library.close()
        elif store is not None:
            store.close()
