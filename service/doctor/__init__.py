"""Is everything as it should be? Looks, and changes nothing: `examine` runs every check of one home."""

from service.doctor.examination import examine
from service.doctor.findings import Finding, Status

__all__ = ["Finding", "Status", "examine"]
