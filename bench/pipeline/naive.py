"""The stack a user would write from well-known parts: sentence-transformers, transformers classifiers on
torch in float32, FAISS flat; one article at a time.

The weights are Tamga's, dequantised or merged, and so are the rules around them: the same sentences and
windows are read, what numbers, names and character n-grams say is computed by the same code, and so is what
shared words add to the order of the nearest records. Only the neural passes and the search for these are the
user's own.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.pipeline.library import BenchArticle, articles, background_records, stated_records
from bench.pipeline.outcome import MATCHES, Outcome, Shown
from classifiers.models import load_encoder, prepare_models
from classifiers.stance import ClaimEvidence, MatchCalibration, StanceModel
from classifiers.text import split_sentences
from index.lexical import LexicalIndex
from index.passages import PASSAGE_PROMPT, article_passages, encoder_inputs
from index.search import Found, fuse
from service.settings import load_settings
from service.store import open_store

# Records held against the words, and passages of all of them that the words are looked up in: as in
# index.search.
_POOL, _WORDED = 35, 2_000


class TorchSession:
    """A torch module in the place of an inference session."""

    def __init__(self, module: Any) -> None:
        self._module = module.eval()

    def run(self, _: None, feed: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        import torch

        with torch.inference_mode():
            found = self._module(*(torch.from_numpy(feed[name]) for name in ("input_ids", "attention_mask")))
        outputs = found if isinstance(found, tuple) else (found,)
        return [output.float().numpy() for output in outputs]


class NaiveStack:
    """Analyses articles; `shown_only` leaves out the stances of candidates that are not shown anyway."""

    def __init__(self, home: Path, data: Path, records: int, *, shown_only: bool) -> None:
        import faiss
        import torch

        from classifiers.ai_text import Detector
        from classifiers.checkworthy import ClaimSpotter

        torch.set_num_threads(os.cpu_count() or 1)
        self._shown_only = shown_only
        self._encoder = load_encoder(backend="torch")
        self._spotter = ClaimSpotter.load()
        self._calibration = MatchCalibration.load()
        self._detector = _on_torch(Detector.load())
        self._stance = StanceModel.load()
        self._stance._cross_encoder._session = TorchSession(_stance_module())
        stated = stated_records(articles(data))
        self._records = [*stated, *background_records(records - len(stated))]
        vectors = self._encoder.encode(
            encoder_inputs([record.claim for record in stated]), prompt=PASSAGE_PROMPT
        )
        self._index = faiss.IndexFlatIP(self._encoder.dimension)
        self._index.add(vectors)
        self._index.add(np.load(home / "background.npy"))
        settings = load_settings(home=home)
        self._words = LexicalIndex(
            open_store(settings.database).records, settings.index_folder / "records-words"
        )
        self._words.load()

    def analyse(self, article: BenchArticle) -> Outcome:
        """Origin, claims with their matches, and the records near to the article as a whole."""
        text, language = article.text, article.language
        origin = self._detector.assess(text, language=language)
        sentences = [text[span.start : span.end] for span in split_sentences(text, language)]
        inputs = encoder_inputs(sentences)
        vectors = self._encoder.encode(inputs, prompt=PASSAGE_PROMPT)
        worthy = np.flatnonzero(
            self._spotter.score(inputs, vectors, language) >= self._spotter.threshold
        ).tolist()
        claims = self._matched(article, [sentences[row] for row in worthy], vectors[worthy])
        windows = [text[part.start : part.end] for part in article_passages(None, text, language)]
        self._index.search(self._encoder.encode(encoder_inputs(windows), prompt=PASSAGE_PROMPT), MATCHES)
        return Outcome(float(origin.score or 0.0), claims)

    def _matched(
        self, article: BenchArticle, sentences: list[str], vectors: NDArray[np.float32]
    ) -> dict[str, list[Shown]]:
        if not sentences:
            return {}
        cosines, found = self._index.search(vectors, _POOL)
        candidates: list[tuple[str, str, float, bool]] = []
        pairs = []
        for sentence, scores, rows in zip(sentences, cosines.tolist(), found.tolist(), strict=True):
            # The database numbers records from 1, in the order in which they were added.
            near = [Found(row + 1, 0, cosine, cosine) for cosine, row in zip(scores, rows, strict=True)]
            worded = self._words.scores(
                sentence, article.language, _WORDED, among={hit.number for hit in near}
            )
            for hit in fuse(near, worded)[:MATCHES]:
                record, cosine = self._records[hit.number - 1], hit.cosine
                spoken = record.language or "other"
                probability = self._calibration.probability(np.array([cosine]), article.language, spoken)[0]
                shown = bool(probability >= self._calibration.suggest_threshold)
                if shown or not self._shown_only:
                    candidates.append((sentence, record.id, cosine, shown))
                    pairs.append(ClaimEvidence(sentence, record.claim, article.language, spoken))
        stances = self._stance.compare(pairs, np.array([cosine for _, _, cosine, _ in candidates]))
        claims: dict[str, list[Shown]] = {sentence: [] for sentence in sentences}
        for (sentence, record_id, cosine, shown), stance in zip(candidates, stances, strict=True):
            if shown:
                claims[sentence].append(Shown(record_id, cosine, stance.stance, stance.scores))
        return claims


def _on_torch(detector: Any) -> Any:
    """The detector with its encoder in float32 on torch."""
    from safetensors.torch import load_file

    from classifiers.ai_text.detector import ENCODER_FILE, WEIGHTS
    from classifiers.ai_text.encoder import encoder_plan
    from classifiers.ai_text.encoder_model import DetectorEncoder

    plan = encoder_plan(WEIGHTS / ENCODER_FILE)
    model = DetectorEncoder(
        prepare_models(progress=False).packaged_folder,
        **{name: plan[name] for name in ("layers", "adapted", "rank", "alpha")},
    )
    model.load_trained({name: value.float() for name, value in load_file(WEIGHTS / ENCODER_FILE).items()})
    model.merge()
    detector.scorer.others.encoder._session = TorchSession(_First(model.eval(), 2))
    return replace(detector)


def _stance_module() -> Any:
    from classifiers.stance.cross_encoder import WEIGHTS, joined

    model: Any = joined(WEIGHTS, prepare_models(progress=False).packaged_folder)
    # Serving files are traced from plain products; on torch the fused kernel is the faster one.
    model.encoder.set_attn_implementation("sdpa")
    return model


class _First:
    """The first outputs of a module: training alone needs the rest."""

    def __init__(self, module: Any, count: int) -> None:
        self._module, self._count = module, count

    def eval(self) -> _First:
        return self

    def __call__(self, *inputs: Any) -> Any:
        return self._module(*inputs)[: self._count]
