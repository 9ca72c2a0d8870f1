"""The ancestor's counters: its text to the byte, threads, and reading it back."""

from __future__ import annotations

from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui.metrics import FIELDS, MAX_U64, Metrics, Sample, parse, render

GOLDEN = """\
# HELP sparrow_requests_total Total number of requests
# TYPE sparrow_requests_total counter
sparrow_requests_total{status="ok"} 36
sparrow_requests_total{status="error"} 2
# HELP sparrow_tokens_used_total Total tokens used
# TYPE sparrow_tokens_used_total counter
sparrow_tokens_used_total{direction="input"} 120345
sparrow_tokens_used_total{direction="output"} 8123
# HELP sparrow_tool_calls_total Total tool calls
# TYPE sparrow_tool_calls_total counter
sparrow_tool_calls_total{status="ok"} 77
sparrow_tool_calls_total{status="error"} 5
# HELP sparrow_cost_usd_total Total cost in USD cents
# TYPE sparrow_cost_usd_total counter
sparrow_cost_usd_total 264
# HELP sparrow_active_sessions Active sessions
# TYPE sparrow_active_sessions gauge
sparrow_active_sessions 3
"""
SAMPLE = Sample(36, 2, 120345, 8123, 77, 5, 264, 3)


def test_the_text_is_the_ancestors() -> None:
    assert render(SAMPLE) == GOLDEN
    assert Metrics(SAMPLE).render() == GOLDEN
    assert parse(GOLDEN) == SAMPLE


@given(st.lists(st.integers(0, MAX_U64), min_size=8, max_size=8))
def test_every_value_comes_back(values: list[int]) -> None:
    sample = Sample(*values)
    assert parse(render(sample)) == sample


def test_reading_is_lenient_about_what_does_not_matter() -> None:
    page = (
        '# EOF\nnonsense here\nother_total{a="b"} 3\n'
        'sparrow_tokens_used_total{ direction="input", } 12.0 1700000000000\r\n'
        "sparrow_active_sessions 1e3\n"
    )
    assert parse(page) == Sample(tokens_input=12, active_sessions=1000)


@pytest.mark.parametrize(
    "page", ["", "<html>login</html>", "sparrow_active_sessions -1\n", "sparrow_active_sessions x\n",
             "sparrow_active_sessions NaN\n", "sparrow_active_sessions +Inf\n"]
)  # fmt: skip
def test_garbage_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(page)


def test_threads_lose_nothing() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(5_000):
            metrics.add("tokens_input", 2)
            metrics.add("requests_total")

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.sample().tokens_input == 80_000
    assert metrics.sample().requests_total == 40_000


def test_counters_wrap_like_the_ancestors() -> None:
    metrics = Metrics(Sample(tokens_output=MAX_U64))
    metrics.add("tokens_output", 3)
    assert metrics.sample().tokens_output == 2
    metrics.set("active_sessions", 4)
    assert metrics.sample().active_sessions == 4
    for call in (metrics.add, metrics.set):
        with pytest.raises(KeyError):
            call("no_such_counter", 1)
    assert len(FIELDS) == 8


def test_the_official_parser_reads_the_page() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = {f.name: f for f in text_string_to_metric_families(GOLDEN)}
    values = {
        tuple(sample.labels.values()): sample.value
        for sample in families["sparrow_tokens_used"].samples
    }
    assert values == {("input",): 120345, ("output",): 8123}
