"""``sparrow-tui stats``: the counters' sums as tables."""

from __future__ import annotations

import json

import pytest

from sparrow_tui.app.plots import tool_lines
from sparrow_tui.cli import main
from sparrow_tui.cli.app import fill_demo
from sparrow_tui.cli.stats import names_of, table
from sparrow_tui.store import open_store
from sparrow_tui.store.totals import Sums
from sparrow_tui.text.wrap import width_of


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    location = str(tmp_path_factory.mktemp("stats") / "demo.db")
    fill_demo(location)
    return location


def run(location: str, *arguments: str) -> int:
    return main(["stats", "--store", location, "--no-sync", *arguments])


@pytest.mark.parametrize(
    "by", ["day", "agent", "model", "project", "tool", "hour", "week", "month"]
)
def test_tables_fit_and_add_up(filled: str, by: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, "--by", by) == 0
    table = capsys.readouterr().out
    assert all(width_of(line) <= 80 for line in table.splitlines())
    assert table.splitlines()[0].startswith(by)
    assert run(filled, "--by", by, "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["schema"], body["by"], body["since"]) == (1, by, None)
    assert len(table.splitlines()) >= len(body["rows"]) + 1
    for key in ("tool_calls",) if by == "tool" else ("requests", "input_tokens", "tool_calls"):
        assert sum(row[key] for row in body["rows"]) == body["total"][key] > 0
    store = open_store(filled, readonly=True)
    assert body["total"]["cost_usd"] == store.totals.overall().cost_micro / 1e6
    store.close()


def test_since(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, "--since", "2100-01-01") == 0
    assert "nothing was counted" in capsys.readouterr().out
    assert run(filled, "--since", "1d", "--json") == 0
    assert json.loads(capsys.readouterr().out)["since"].endswith("Z")
    assert run(filled, "--since", "whenever") == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "--since takes a date" in said.err
    assert run(filled, "--by", "mood") == 2


def test_hostile_names_are_harmless(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    from sparrow_tui.model import ToolUse, Turn

    location = str(tmp_path / "a.db")
    store = open_store(location)
    store.save("x:1", [Turn(role="assistant", blocks=[ToolUse("a", "\x1b]0;pwn\x07[red]漢字")])])
    store.close()
    assert run(location, "--by", "tool") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[red]漢字" in out


def test_projects_of_the_same_name_are_told_apart() -> None:
    names = ["/home/ann/web", "/home/bob/web", "/srv/api/", "C:\\Users\\ann\\tool", "", "/"]
    assert names_of(names, "project") == [
        "ann/web", "bob/web", "api", "tool", "(no project)", "/",
    ]  # fmt: skip


@pytest.mark.parametrize("more", range(6))
def test_names_that_are_cut_say_so(more: int) -> None:
    name = "m" * 40
    (line, *_) = table([(name + "m" * more, Sums(turns=1))], Sums(turns=1), "model", 80)[1:]
    shown = line.split()[0]
    assert shown.startswith("mmmm")
    assert shown.endswith("…")


def test_few_failures_are_not_none() -> None:
    rare, often, none = (Sums(tool_calls=329, tool_errors=n) for n in (1, 40, 0))
    for sums, shown in ((rare, "1  <1%"), (often, "40  12%"), (none, "–")):
        assert f"{shown}  " in table([("Bash", sums)], sums, "tool", 80)[1]
    assert [line.note for line in tool_lines([("a", rare), ("b", often), ("c", none)])] == [
        "✗<1%", "✗12%", "",
    ]  # fmt: skip


def test_what_has_no_price_is_said(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    from sparrow_tui.model import Turn, Usage

    location = str(tmp_path / "a.db")
    store = open_store(location)
    store.save("x:1", [Turn(role="assistant", blocks=[], model="nobody-1", usage=Usage(900, 100))])
    store.close()
    assert run(location, "--by", "agent") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "$0.00+" in lines[1]
    assert lines[-1] == "+ 1.0k tokens of models without a known price"
