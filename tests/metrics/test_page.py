"""Our page of counters: the ancestor's first, the whole of it in the official parser's grammar."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sparrow_tui.cli.app import fill_demo
from sparrow_tui.metrics import parse, render
from sparrow_tui.metrics.page import page, sample_of
from sparrow_tui.store import open_store
from sparrow_tui.store.totals import Sums
from tests.conftest import NOW


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    location = str(tmp_path_factory.mktemp("page") / "demo.db")
    fill_demo(location, NOW)
    store = open_store(location, readonly=True)
    try:
        return page(store, NOW)
    finally:
        store.close()


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_ancestors_page_comes_first_to_the_byte(text: str) -> None:
    sample = parse(text)
    assert text.startswith(render(sample))
    assert sample.requests_total > 0
    assert sample.tool_calls_errors > 0


def test_every_family_is_told_once(text: str) -> None:
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert not [name for name in names if name.endswith("_created")]
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {
        "sparrow_cost_dollars", "sparrow_model_tokens", "sparrow_model_requests", "sparrow_turns",
        "sparrow_tool_calls_by_tool", "sparrow_tool_duration_seconds", "sparrow_sessions",
        "sparrow_ingest_bytes", "sparrow_ingest_records", "sparrow_ingest_lag_seconds",
        "sparrow_turn_duration_seconds", "sparrow_search_seconds",
    } <= families  # fmt: skip


def test_the_parts_add_up_to_the_ancestors_sums(text: str) -> None:
    sample, found = parse(text), values(text)

    def total(name: str, **labels: str) -> float:
        return sum(
            value
            for (sample_name, pairs), value in found.items()
            if sample_name == name and labels.items() <= dict(pairs).items()
        )

    assert total("sparrow_model_requests_total", status="ok") == sample.requests_total
    assert total("sparrow_model_requests_total", status="error") == sample.requests_errors
    assert total("sparrow_model_tokens_total", kind="input") == sample.tokens_input
    assert total("sparrow_model_tokens_total", kind="output") == sample.tokens_output
    assert total("sparrow_tool_calls_by_tool_total", status="error") == sample.tool_calls_errors
    dollars = total("sparrow_cost_dollars_total")
    assert int(dollars * 100) == sample.cost_usd_cents
    assert total("sparrow_model_cost_dollars_total") == pytest.approx(dollars)
    counts = total("sparrow_tool_duration_seconds_count")
    assert counts == total("sparrow_tool_duration_seconds_bucket", le="+Inf") > 0


def test_ok_are_calls_without_an_error() -> None:
    sample = sample_of(Sums(requests=5, request_errors=2, tool_calls=10, tool_errors=3,
                            cost_micro=1_239_999), 4)  # fmt: skip
    assert (sample.requests_total, sample.requests_errors) == (5, 2)
    assert (sample.tool_calls_total, sample.tool_calls_errors) == (7, 3)
    assert (sample.cost_usd_cents, sample.active_sessions) == (123, 4)


def test_hostile_labels_stay_labels(tmp_path: Path) -> None:
    from sparrow_tui.model import ToolUse, Turn

    store = open_store(str(tmp_path / "a.db"))
    try:
        name = 'x"} 1\nsparrow_cost_usd_total 99\n\x1b[2J\\'
        store.save("evil:1", [Turn(role="assistant", model=name, blocks=[ToolUse("a", name)])])
        text = page(store, NOW)
    finally:
        store.close()
    found = values(text)
    assert found["sparrow_cost_usd_total", ()] == 0
    assert "\x1b" not in text
    tools = [dict(labels)["tool"] for sample, labels in found if "by_tool" in sample]
    assert len(set(tools)) == 1
    assert tools[0].startswith('x"} 1 sparrow_cost_usd_total 99')


def test_many_models_and_tools_become_other(tmp_path: Path) -> None:
    from sparrow_tui.model import ToolUse, Turn, Usage

    store = open_store(str(tmp_path / "a.db"))
    try:
        turns = [
            Turn(role="assistant", model=f"m{n}", blocks=[ToolUse(f"c{n}", f"tool{n}")],
                 usage=Usage(n + 1, 1))
            for n in range(100)
        ]  # fmt: skip
        store.save("many:1", turns)
        found = values(page(store, NOW))
    finally:
        store.close()
    tools = {dict(labels)["tool"] for name, labels in found if "by_tool" in name}
    models = {
        dict(labels)["model"] for name, labels in found if name == "sparrow_model_tokens_total"
    }
    assert len(tools) == len(models) == 41
    assert "other" in tools & models


def test_examples_ask_for_what_we_export(text: str) -> None:
    folder = files("sparrow_tui.metrics") / "examples"
    board = json.loads((folder / "grafana.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"sparrow_\w+", target["expr"])
    }
    exported = {name for name, _ in values(text)} | {
        f"{family.name}{suffix}"
        for family in text_string_to_metric_families(text)
        for suffix in (("_bucket",) if family.type == "histogram" else ("_total", ""))
    }
    assert asked - exported == set()
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = {
        (x, y)
        for p in places
        for x in range(p["x"], p["x"] + p["w"])
        for y in range(p["y"], p["y"] + p["h"])
    }
    assert len(cells) == sum(p["w"] * p["h"] for p in places)  # nothing overlaps
    assert "127.0.0.1:9469" in (folder / "prometheus.yml").read_text(encoding="utf-8")
