"""The report of an audit: rates with intervals, what was declared beside what was detected, abstentions, and
what chat assistants say against verified reporting. As one HTML page that asks for nothing, and as CSV.
"""

from service.audits.report.figures import figures_csv
from service.audits.report.page import ReportHead, report_page
from service.audits.report.tally import Tally

__all__ = ["ReportHead", "Tally", "figures_csv", "report_page"]
