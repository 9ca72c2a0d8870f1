"""The archive: when agents will delete, what stays, and how that is shown."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.registry import agent
from sparrow_tui.cli import main
from tests.on_disk import claude_file, codex_file, native

DAY = 86_400


@pytest.mark.parametrize(
    ("shared", "local", "days"),
    [(None, None, 30), ({"cleanupPeriodDays": 99}, None, 99), ({"cleanupPeriodDays": 99}, {"cleanupPeriodDays": 7}, 7),
     ({"other": 1}, {"cleanupPeriodDays": "x"}, 30), ([], 3, 30)],
)  # fmt: skip
def test_claudes_own_setting_counts(
    private_home: Path, shared: object, local: object, days: int
) -> None:
    (private_home / ".claude").mkdir()
    for name, value in (("settings.json", shared), ("settings.local.json", local)):
        if value is not None:
            (private_home / ".claude" / name).write_text(json.dumps(value))
    claude = agent("claude")
    assert claude is not None
    assert claude.retention_days(Place(private_home)) == days


def test_what_expires_is_said_and_found(
    private_home: Path, location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    for number, age in ((1, 27.5), (2, 1), (3, 29)):
        file = claude_file(private_home, number, f"needle {number}")
        os.utime(file.path, (now - age * DAY, now - age * DAY))
    codex_file(private_home, 4, "needle that stays")

    def ask(*words: str) -> str:
        assert main([*words, "--store", location]) == 0
        return capsys.readouterr().out

    found = {s["id"]: s for s in json.loads(ask("list", "--json"))["sessions"]}
    assert found[f"codex:{native(4)}"]["expires_at"] is None
    assert all(found[f"claude:{native(n)}"]["expires_at"] for n in (1, 2, 3))
    soon = json.loads(ask("search", "needle expires:<7d", "--json"))
    assert {hit["session"] for hit in soon["hits"]} == {f"claude:{native(n)}" for n in (1, 3)}
    assert ask("list").count("expires in") == 2
    (private_home / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 365}')
    assert ask("list").count("expires in") == 0
    claude_file(private_home, 1).path.unlink()
    kept = next(line for line in ask("list").splitlines() if native(1) in line)
    assert kept.endswith("kept")
    gone = {s["id"]: s for s in json.loads(ask("list", "--json"))["sessions"]}[
        f"claude:{native(1)}"
    ]
    assert (gone["source_gone"], gone["expires_at"]) == (True, None)
    assert f"claude:{native(1)}" in ask("search", "needle is:kept")
    assert "needle 1" in ask("show", native(1))
    assert "needle 1" in ask("export", native(1), "--format", "md")
