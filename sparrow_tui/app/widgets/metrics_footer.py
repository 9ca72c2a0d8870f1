"""STUB"""

from textual.widgets import Static


class MetricsFooter(Static):
    pass
