"""The counters in Prometheus' form: the ancestor's eight, our own page, others' pages and servers.

Imports here are light: what needs a library is imported by the modules that need it.
"""

from sparrow_tui.metrics.ancestor import FIELDS, MAX_U64, Metrics, Sample, parse, render

__all__ = ["FIELDS", "MAX_U64", "Metrics", "Sample", "parse", "render"]
