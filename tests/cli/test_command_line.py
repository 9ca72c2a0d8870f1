"""The command line's contract: keys of every JSON object, options, exit codes, streams."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.cli import COMMANDS, main
from sparrow_tui.store import open_store
from tests.on_disk import claude_file, codex_file, native

Said = pytest.CaptureFixture[str]
SESSION = {
    "id", "agent", "title", "project", "branch", "model", "status", "created_at", "updated_at",
    "turns", "parent", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "tool_calls", "tool_errors", "cost_usd",
}  # fmt: skip
HIT = {"session", "turn", "role", "time", "title", "snippet", "spans"}
SYNC = {"schema", "read", "skipped", "failed", "sessions", "turns", "bytes", "seconds", "agents"}


@pytest.fixture
def library(
    private_home: Path, location: str, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A home with three sessions, and the store that will hold them."""
    monkeypatch.setenv("SPARROW_TUI_STORE", location)
    claude_file(private_home, 1, "mend the nët", "mended", "and the other", "done")
    claude_file(private_home, 2, "paint the boat", "painted")
    codex_file(private_home, 3, "mend the sail", "mended too")
    return location


def ask(capsys: Said, *words: str, code: int = 0) -> Any:
    """What a command prints as JSON."""
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def program(*words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sparrow_tui", *words]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, **more)


def test_sync_says_what_it_did(library: str, capsys: Said) -> None:
    first = ask(capsys, "sync")
    assert set(first) >= SYNC
    assert (first["schema"], first["read"], first["skipped"], first["failed"]) == (1, 3, 0, 0)
    assert (first["sessions"], first["turns"]) == (3, 8)
    assert set(first["agents"]) == {"claude", "codex"}
    second = ask(capsys, "sync")
    assert (second["read"], second["skipped"], second["sessions"], second["agents"]) == (
        0,
        3,
        0,
        {},
    )


def test_list_gives_sessions(library: str, capsys: Said) -> None:
    found = ask(capsys, "list")
    assert set(found) == {"schema", "total", "sessions"}
    assert (found["schema"], found["total"], len(found["sessions"])) == (1, 3, 3)
    assert all(set(session) >= SESSION for session in found["sessions"])
    times = [session["updated_at"] for session in found["sessions"]]
    assert times == sorted(times, reverse=True)
    assert times[-1] == "2025-12-01T08:00:00.000Z"
    first = next(s for s in found["sessions"] if s["id"] == f"claude:{native(1)}")
    assert first["parent"] is None
    assert first["status"] == "ended", "nobody waits for weeks"
    limited = ask(capsys, "list", "--limit", "1")
    assert (limited["total"], len(limited["sessions"])) == (3, 1)
    assert ask(capsys, "list", "--limit", "0")["sessions"] == []


def test_search_gives_hits(library: str, capsys: Said) -> None:
    found = ask(capsys, "search", "mend")
    assert set(found) == {"schema", "query", "total", "complete", "problems", "hits"}
    assert (found["query"], found["total"], found["complete"]) == ("mend", 4, True)
    for hit in found["hits"]:
        assert set(hit) >= HIT
        for start, end in hit["spans"]:
            assert hit["snippet"][start:end].lower().startswith("mend")
    assert len(ask(capsys, "search", "mend", "--limit", "1")["hits"]) == 1
    wrong = ask(capsys, "search", "before:soon", "mend")
    assert len(wrong["problems"]) == 1
    assert wrong["total"] == 4


def test_a_minus_leaves_out_without_quotes(library: str, capsys: Said) -> None:
    for words, expected in {
        ("mend", "-sail"): ["mend the nët"],
        ("--limit", "9", "mend", "-sail", "--no-sync"): ["mend the nët"],
        ("mend", "--limit=9", "-the"): [],
        ("mend", "-help"): ["mend the nët", "mend the sail"],
        ("--", "-sail", "mend"): ["mend the nët"],
    }.items():
        assert main(["search", "--json", "--store", library, *words]) == 0
        found = json.loads(capsys.readouterr().out)
        titles = [hit["snippet"] for hit in found["hits"] if hit["role"] == "user"]
        assert sorted(titles) == expected, words
    assert main(["search", "mend", "-h"]) == 0
    assert "usage" in capsys.readouterr().out
    assert main(["search", "-x", "mend"]) == 2
    assert main(["search", "mend", "--colour", "-sail"]) == 2


def test_show_gives_turns(library: str, capsys: Said) -> None:
    shown = ask(capsys, "show", native(1))
    assert set(shown) == {"schema", "session", "start", "turns"}
    assert set(shown["session"]) >= SESSION
    assert [turn["turn"] for turn in shown["turns"]] == [0, 1, 2, 3]
    first = shown["turns"][0]
    assert set(first) >= {"turn", "role", "time", "blocks", "usage"}
    assert first["blocks"] == [{"type": "text", "text": "mend the nët"}]
    assert first["usage"] is None
    assert shown["turns"][1]["usage"]["input_tokens"] == 10
    part = ask(capsys, "show", native(1), "--around", "2", "--before", "1", "--after", "0")
    assert (part["start"], [turn["turn"] for turn in part["turns"]]) == (1, [1, 2])
    far = ask(capsys, "show", native(1), "--around", "99", "--before", "1", "--after", "0")
    assert [turn["turn"] for turn in far["turns"]] == [2, 3]
    assert (
        len(ask(capsys, "show", native(1), "--around=-5", "--before=-1", "--after", "1")["turns"])
        == 2
    )


def test_recent_gives_inputs(library: str, capsys: Said) -> None:
    found = ask(capsys, "recent")
    assert set(found) == {"schema", "inputs"}
    assert all(set(item) >= {"text", "session", "turn", "time"} for item in found["inputs"])
    assert found["inputs"][0]["text"] == "paint the boat"
    assert len(ask(capsys, "recent", "--limit", "2")["inputs"]) == 2


def test_paths_and_doctor_say_where(library: str, private_home: Path, capsys: Said) -> None:
    places = ask(capsys, "paths")
    assert set(places) == {"schema", "store", "config", "state", "cache", "log"}
    assert places["store"] == library
    before = ask(capsys, "doctor")
    assert (before["store"]["exists"], before["store"]["healthy"]) == (False, True)
    assert not Path(library).exists()
    main(["sync"])
    capsys.readouterr()
    after = ask(capsys, "doctor")
    store = after["store"]
    assert (store["exists"], store["healthy"], store["sessions"], store["turns"]) == (
        True,
        True,
        3,
        8,
    )
    claude = after["agents"]["claude"]
    assert (claude["sources"], claude["sessions"], claude["turns"], claude["problems"]) == (
        2,
        2,
        6,
        [],
    )
    assert {"path": str(private_home / ".claude" / "projects"), "exists": True} in claude["places"]
    assert claude["coverage"]["records"] == claude["coverage"]["kept"] == 6


def test_no_json_has_characters_that_act(library: str, private_home: Path, capsys: Said) -> None:
    bad = "net \x9b31m \u202eevil\u2066 \x7f \u200b \U000e0041 end"
    claude_file(private_home, 5, f"mend {bad}", bad)
    for command in (["list"], ["show", native(5)], ["search", "net"], ["recent"]):
        main([*command, "--json"])
        printed = capsys.readouterr().out
        assert not [c for c in "\x9b\u202e\u2066\x7f\u200b\U000e0041" if c in printed], command
        assert "evil" in str(json.loads(printed))


def test_doctor_tells_what_may_not_be_looked_at(
    library: str, private_home: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = private_home / ".codex" / "sessions"
    stat, access = os.stat, os.access

    def refused(path: Any, *args: Any, **more: Any) -> Any:
        if str(path).startswith(str(closed)):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *args, **more)

    def may(path: Any, mode: int) -> bool:
        return not str(path).startswith(str(closed)) and access(path, mode)

    monkeypatch.setattr(os, "stat", refused)
    monkeypatch.setattr(os, "access", may)
    assert main(["doctor"]) == 0
    assert "~/.codex/sessions: it cannot be read" in capsys.readouterr().out
    codex = ask(capsys, "doctor")["agents"]["codex"]
    assert {"path": str(closed), "exists": True} in codex["places"]
    assert codex["problems"] == [{"path": str(closed), "problem": "it cannot be read"}]


def test_doctor_shows_where_what_is_unknown_is(
    library: str, private_home: Path, capsys: Said
) -> None:
    file = claude_file(private_home, 5, "mend the net", "mended")
    with open(file.path, "a") as handle:
        handle.write("\n" + file.line("odd").replace('"type": "user"', '"type": "hologram"'))
        handle.write(file.line("odd").replace('"type": "assistant"', '"type": "hologram"', 1))
    state = private_home / ".local" / "state" / "sparrow"
    state.mkdir(parents=True)
    with closing(sqlite3.connect(state / "sessions.db")) as db:
        db.execute(
            "CREATE TABLE sessions(id TEXT PRIMARY KEY, created_at INTEGER, updated_at INTEGER,"
            " name TEXT, status TEXT, messages_json TEXT)"
        )
        odd = '[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "beam"}]}]'
        db.execute("INSERT INTO sessions VALUES ('s1', 1, 2, '', 'active', ?)", (odd,))
        db.commit()
    assert main(["sync"]) == 0
    with open(file.path, "a") as handle:
        handle.write("\n" + file.line("odd").replace('"type": "user"', '"type": "mirage"'))
    assert main(["sync"]) == 0
    capsys.readouterr()
    agents = ask(capsys, "doctor")["agents"]
    assert agents["claude"]["unknown"] == [
        {"kind": "hologram", "number": 2, "example": f"{file.path}:4"},
        {"kind": "mirage", "number": 1, "example": f"{file.path}:7"},
    ]
    (beam,) = agents["sparrow"]["unknown"]
    assert beam["example"] == f"{state / 'sessions.db'} (s1, message 0)"
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert f"as in ~/{file.path.relative_to(private_home)}:4" in said
    assert "% of records understood" in said
    tail = said[said.index("Not here:") :]
    assert "Kiro CLI" in tail
    assert all(len(line) <= 80 for line in tail.splitlines())


def test_delete_takes_it_from_the_store_only(
    library: str, private_home: Path, capsys: Said
) -> None:
    main(["sync"])
    file = private_home / ".claude" / "projects" / "-home-ann-harbour" / f"{native(1)}.jsonl"
    before = file.read_bytes()
    assert main(["delete", native(1), "--yes"]) == 0
    assert file.read_bytes() == before
    capsys.readouterr()
    assert [s["id"] for s in ask(capsys, "list")["sessions"]] == [
        f"claude:{native(2)}", f"codex:{native(3)}",
    ]  # fmt: skip


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b""])
def test_delete_asks_first(library: str, answer: bytes) -> None:
    """With nobody to ask it refuses; it never guesses."""
    assert program("sync").returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "sparrow_tui", "delete", native(1)],
        input=answer,
        capture_output=True,
    )
    assert done.returncode == 2
    assert b"--yes" in done.stderr
    store = open_store(library)
    assert store.count() == 3
    store.close()


def test_options_stand_before_or_after(
    library: str, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["sync"])
    monkeypatch.delenv("SPARROW_TUI_STORE")
    capsys.readouterr()
    seen = set()
    for words in (
        ["--store", library, "list"], ["list", "--store", library], [f"--store={library}", "list"],
        ["--no-sync", "list", "--store", library], ["list", "--store", library, "--no-sync"],
        ["list", f"--store=sqlite://{library}"], ["list", "--store", f"file://{library}"],
    ):  # fmt: skip
        assert main(words) == 0, words
        seen.add(capsys.readouterr().out)
    assert len(seen) == 1
    assert "paint the boat" in seen.pop()


def test_without_sync_nothing_is_imported(library: str, capsys: Said) -> None:
    assert ask(capsys, "list", "--no-sync")["total"] == 0
    assert ask(capsys, "list")["total"] == 3


@pytest.mark.parametrize(
    "words",
    [["list", "--bogus"], ["list", "extra"], ["list", "--limit", "-1"], ["list", "--limit", "x"],
     ["list", "--limit", "1.5"], ["search"], ["show"], ["show", "x", "--around", "y"], ["delete"],
     ["--bogus"], ["--store"], ["list", "--store"], ["no-such-command"], ["sync", "/no/such/file"],
     ["/no/such/file"], ["sync", "--no-sync"], ["restore"], ["export", "x"], ["list", "--lim", "3"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_one_sentence(library: str, capsys: Said, words: list[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("sparrow-tui: ")
    assert "usage:" not in said.err


@pytest.mark.parametrize("command", ["show", "restore", "delete", "resume", "export"])
@pytest.mark.parametrize("session", ["nobody", "0000000", "", "%", "claude:"])
def test_a_session_that_is_not_there_or_not_the_only_one(
    library: str, capsys: Said, command: str, session: str
) -> None:
    main(["sync"])
    capsys.readouterr()
    more = {"delete": ["--yes"], "export": ["--format", "md"]}.get(command, [])
    assert main([command, session, *more, "--no-sync"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert ("several" if session in ("0000000", "claude:") else "no session") in said.err


def test_the_beginning_of_an_id_is_enough(library: str, capsys: Said) -> None:
    for text in (native(3), native(3)[:8], f"codex:{native(3)}", "codex:0", "codex"):
        assert ask(capsys, "show", text)["session"]["id"] == f"codex:{native(3)}"


def test_an_id_that_is_no_text_is_not_there(library: str, capsys: Said) -> None:
    odd = os.fsdecode(b"\xffx")
    for words in (["show", odd], ["delete", odd, "--yes"], ["resume", odd], ["restore", odd]):
        assert main(words) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "there is no session" in said.err
    assert main(["search", odd]) == 0


def test_an_unreadable_file_is_named(library: str, tmp_path: Path, capsys: Said) -> None:
    odd = tmp_path / "notes.txt"
    odd.write_text("nothing of ours")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    report = ask(capsys, "sync", str(odd), str(empty), code=1)
    assert report["failed"] == 2
    assert {item["path"] for item in report["failures"]} == {str(odd), str(empty)}
    assert main(["sync", str(odd)]) == 1
    said = capsys.readouterr()
    assert str(odd) in said.err
    assert "Traceback" not in said.err


def test_paths_given_by_hand(
    library: str, private_home: Path, tmp_path: Path, capsys: Said
) -> None:
    file = claude_file(tmp_path / "elsewhere", 9, "a session by hand")
    assert ask(capsys, "sync", str(file.path))["sessions"] == 1
    assert ask(capsys, "list", "--no-sync")["total"] == 1
    shutil.copytree(private_home / ".codex", tmp_path / "elsewhere" / ".codex")
    assert ask(capsys, "sync", str(tmp_path / "elsewhere"))["sessions"] == 1
    assert ask(capsys, "list", "--no-sync")["total"] == 2


def test_every_command_explains_itself(capsys: Said) -> None:
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        assert said.out.startswith(f"usage: sparrow-tui {command}")
        assert "--store" in said.out
        if "print one JSON object" in said.out:
            assert '"schema": 1' in " ".join(said.out.split()), (
                f"{command} --help says nothing of its JSON"
            )
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert all(f"\n  {command} " in overview for command in COMMANDS)
    assert "--demo" in overview
    for words in (["--version"], ["list", "--version"]):
        assert main(words) == 0
        assert capsys.readouterr().out.startswith("sparrow-tui 0.")


def test_no_terminal_no_app(library: str) -> None:
    done = program()
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"needs a terminal" in done.stderr


HEADLESS = [["--help"], ["--version"], ["list"], ["list", "--json"], ["search", "mend"], ["recent"],
            ["show", native(1)], ["sync"], ["doctor"], ["paths"], ["stats"], ["metrics"]]  # fmt: skip


def test_headless_commands_load_no_toolkit(library: str) -> None:
    program_text = (
        "import sys, io, contextlib\nfrom sparrow_tui.cli import main\n"
        f"for words in {HEADLESS!r}:\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        "        code = main(words)\n"
        "    loaded = [m for m in ('textual', 'rich.console', 'watchfiles', 'httpx') if m in sys.modules]\n"
        "    if code or loaded: print(words, code, loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_reader_that_goes_away_is_no_fault(library: str) -> None:
    assert program("sync").returncode == 0
    for words in (["list"], ["list", "--json"], ["show", native(1), "--json"], ["search", "mend"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "sparrow_tui", *words, "--no-sync"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait() == 0
        assert "rror" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_said_so(library: str) -> None:
    assert program("sync").returncode == 0
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "sparrow_tui", "list", "--no-sync"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "sparrow-tui: the output cannot be written: No space left on device"
    ]


def test_terminals_that_speak_ascii_only(library: str) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert program("sync").returncode == 0
    done = program("show", native(1), "--no-sync", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"mend the n?t" in done.stdout
    done = program("show", native(1), "--json", env=env)
    assert json.loads(done.stdout)["turns"][0]["blocks"][0]["text"] == "mend the nët"


def test_no_colour_where_nobody_sees_it(library: str) -> None:
    for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        for words in (["list"], ["search", "mend"], ["doctor"], ["show", native(1)]):
            assert b"\x1b" not in program(*words, env={**os.environ, **env}).stdout
