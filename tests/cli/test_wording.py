"""What commands say to a person: right numbers, whose help is meant, what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparrow_tui.app.syncing import in_words
from sparrow_tui.cli import COMMANDS, main
from sparrow_tui.sync.progress import Progress
from tests.on_disk import claude_file, native

Said = pytest.CaptureFixture[str]


@pytest.fixture
def library(private_home: Path, location: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two sessions that were imported."""
    monkeypatch.setenv("SPARROW_TUI_STORE", location)
    claude_file(private_home, 1, "mend the net", "mended")
    claude_file(private_home, 2, "paint the boat", "painted")
    assert main(["sync"]) == 0
    return private_home


def told(capsys: Said, *words: str) -> tuple[str, str]:
    capsys.readouterr()
    main([*words])
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_wrong_option_leads_to_the_help_of_its_command(capsys: Said, command: str) -> None:
    assert main([command, "--no-such-thing"]) == 2
    assert capsys.readouterr().err.strip().endswith(f"see sparrow-tui {command} --help")


@pytest.mark.parametrize("command", ["show", "export", "resume", "restore", "delete"])
def test_a_session_is_explained_where_it_is_asked_for(capsys: Said, command: str) -> None:
    assert main([command, "--help"]) == 0
    assert "an id, or the beginning of one" in capsys.readouterr().out


def test_sessions_are_not_called_hits(library: Path, capsys: Said) -> None:
    out, err = told(capsys, "search", "--no-sync", "agent:claude")
    assert [line.split()[0] for line in out.splitlines()] == ["paint", "mend"]
    assert err == "2 sessions\n"
    assert told(capsys, "search", "--no-sync", native(1))[1] == "1 session\n"
    assert told(capsys, "search", "--no-sync", "mended")[1] == "1 hit\n"
    assert told(capsys, "search", "--no-sync", "the")[1] == "2 hits\n"
    assert told(capsys, "search", "--no-sync", "--limit", "1", "the")[1] == "2 hits, 1 shown\n"


@pytest.mark.parametrize("query", ["agent:", '"', ""])
def test_a_search_for_nothing_is_said(library: Path, capsys: Said, query: str) -> None:
    assert told(capsys, "search", "--no-sync", query)[1].startswith("nothing to look for;")


def test_one_source_that_is_gone(library: Path, capsys: Said) -> None:
    next(library.rglob(f"{native(1)}.jsonl")).unlink()
    assert "1 source is gone; its sessions are kept here" in "".join(told(capsys, "sync"))
    assert "1 source is gone; its sessions are kept here" in told(capsys, "doctor")[0]


def test_doctor_says_how_long_an_agent_keeps_its_sessions(library: Path, capsys: Said) -> None:
    assert "deletes a session 30 days after its last change" in told(capsys, "doctor")[0]
    (library / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 7}')
    assert "deletes a session 7 days after its last change" in told(capsys, "doctor")[0]
    found = json.loads(told(capsys, "doctor", "--json")[0])["agents"]
    assert (found["claude"]["retention_days"], found["codex"]["retention_days"]) == (7, None)


def test_an_import_is_told_in_bytes_sessions_rate_and_time_left() -> None:
    progress = Progress(
        phase="reading",
        sources=3,
        of_sources=9,
        bytes=12_000_000,
        of_bytes=48_000_000,
        sessions=64,
        seconds=4.0,
    )
    assert in_words(progress) == "importing 25% of 48.0 MB · 64 sessions · 3.0 MB/s · 12 s left"


def test_doctor_tells_how_much_of_a_session_was_understood(library: Path, capsys: Said) -> None:
    out, err = told(capsys, "doctor", native(1)[:8])
    rows = dict(line.split(maxsplit=1) for line in out.splitlines()[1:] if " " in line)
    assert rows["Session"] == f"claude:{native(1)}"
    assert rows["Records"] == "2 in the source"
    assert (rows["Kept"], rows["Unknown"], rows["Bad"], err) == ("2", "0", "0", "")
    assert "Skipped by rule 0" in out
    found = json.loads(told(capsys, "doctor", native(1), "--json")[0])
    assert found["session"]["records"]["in_source"] == 2
    assert main(["doctor", "nobody"]) == 1
    assert "no session “nobody”" in capsys.readouterr().err


def test_one_is_one(library: Path, capsys: Said) -> None:
    claude_file(library, 3, "caulk the hull")
    assert "read 1 source (" in told(capsys, "sync")[0] + told(capsys, "sync")[0]


@pytest.mark.parametrize("command", ["list", "recent", "stats"])
def test_where_nothing_is_yet_it_is_said(
    location: str, monkeypatch: pytest.MonkeyPatch, capsys: Said, command: str
) -> None:
    monkeypatch.setenv("SPARROW_TUI_STORE", location)
    out, err = told(capsys, command)
    assert out == ""
    assert err.endswith("yet; sparrow-tui doctor says where it looked\n")
