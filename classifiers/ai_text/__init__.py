"""Did a machine write this? Calibrated evidence with bounded false alarms, or an abstention."""

from classifiers.ai_text.assessment import (
    CalibrationCell,
    FeatureEvidence,
    OriginAssessment,
    OriginSegment,
)
from classifiers.ai_text.detector import Detector

__all__ = ["CalibrationCell", "Detector", "FeatureEvidence", "OriginAssessment", "OriginSegment"]
