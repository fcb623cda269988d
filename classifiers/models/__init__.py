"""Which weights, their hashes, the runtime files built from them, and the sentence :class:`Encoder`."""

from classifiers.models.encoder import PASSAGE, QUERY, Backend, Encoder, load_encoder, packaged_model_id
from classifiers.models.prepare import PreparedModels, prepare_models
from classifiers.models.prepared import ModelFilesError, models_home

__all__ = [
    "PASSAGE",
    "QUERY",
    "Backend",
    "Encoder",
    "ModelFilesError",
    "PreparedModels",
    "load_encoder",
    "models_home",
    "packaged_model_id",
    "prepare_models",
]
