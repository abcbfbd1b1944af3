"""Reports: one page that shows and tells all there is of poses or a run."""

from posenb.reports.making import report

__all__ = ["report"]
