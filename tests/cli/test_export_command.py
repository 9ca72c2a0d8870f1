"""``sparrow-tui export``: to stdout or a file, whole or in part, and what is refused."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sparrow_tui.cli import main
from sparrow_tui.model import Text, ToolResult, ToolUse, Turn
from sparrow_tui.store.sqlite import SqliteStore

SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def filled(store: SqliteStore, location: str) -> str:
    turns = [Turn(role="user", blocks=[Text(f"prompt <{n}> \x1b[2J")]) for n in range(10)]
    turns += [
        Turn(role="assistant", blocks=[ToolUse("c", "Write", {
            "file_path": "/p/x.txt", "content": f"a\x1b[31mb\r\n{SECRET}\n"})]),
        Turn(role="tool", blocks=[ToolResult("c", [Text("created")])]),
    ]  # fmt: skip
    store.save("demo:abc", turns)
    return location


def run(location: str, *arguments: str) -> int:
    return main(["export", "--store", location, "--no-sync", *arguments])


def test_every_format_on_stdout(filled: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    written = {}
    for form in ("md", "html", "json", "patch"):
        assert run(filled, "abc", "--format", form) == 0
        written[form] = capsysbinary.readouterr().out.decode()
    assert written["md"].startswith("# prompt")
    assert written["html"].startswith("<!DOCTYPE html>")
    assert len(json.loads(written["json"])["turns"]) == 12
    for form in ("md", "html", "json"):
        assert "\x1b" not in written[form]
    # Not a terminal: the patch makes the file as it was.
    assert "+a\x1b[31mb\r\n" in written["patch"]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [("2:5", [2, 3, 4]), (":2", [0, 1]), ("10:", [10, 11]), ("-2:", [10, 11]), (":", range(12)),
     ("5:999", range(5, 12)), (" 3 : 4 ", [3])],
)  # fmt: skip
def test_a_range_of_turns(
    filled: str, turns: str, expected: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(filled, "abc", "--format", "json", f"--turns={turns}") == 0
    found = json.loads(capsys.readouterr().out)
    assert [turn["turn"] for turn in found["turns"]] == list(expected)
    assert found["start"] == next(iter(expected))


@pytest.mark.parametrize("turns", ["x", "1", "3:2", "50:", "1:2:3", "", "1.5:2", "٣:٤", ":-90"])
def test_a_bad_range_is_one_sentence(
    filled: str, turns: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(filled, "abc", "--format", "md", f"--turns={turns}") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("sparrow-tui: --turns")
    assert said.err.count("\n") == 1


def test_to_a_file(filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.html"
    assert run(filled, "abc", "--format", "html", "-o", str(path)) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "12 turns" in said.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    assert run(filled, "abc", "--format", "md", "-o", str(path)) == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_text() == before
    assert run(filled, "abc", "--format", "md", "-o", str(path), "--force") == 0
    assert path.read_text().startswith("# prompt")
    assert os.listdir(tmp_path / "store") != []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.html", "store"]


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [("", 2, "needs the name of a file"), (".", 1, "is a directory"),
     ("a" * 300, 1, "file name too long"), ("file/x.md", 1, "not a directory"),
     ("loop", 1, "cannot be written"), ("dangling", 1, "is there already")],
)  # fmt: skip
def test_a_place_that_cannot_be_written(
    filled: str, tmp_path: Path, output: str, code: int, said: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    before = sorted(os.listdir())
    force = ["--force"] if output == "loop" else []
    assert run(filled, "abc", "--format", "md", "-o", output, *force) == code
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert sorted(os.listdir()) == before
    assert Path("file").read_text() == "kept"


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("form", ["md", "html", "json", "patch"])
def test_a_full_device_is_told_and_stays_a_device(
    filled: str, form: str, force: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("needs /dev/full")
    assert run(filled, "abc", "--format", form, "-o", str(full), *force) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "no space left on device" in told.err
    assert full.is_char_device()


def test_a_pipe_is_written_to(filled: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert run(filled, "abc", "--format", "md", "-o", str(pipe), "--force") == 0
        assert reader.communicate()[0].startswith(b"# prompt")
    assert pipe.is_fifo()


def test_a_link_is_kept_and_its_file_replaced(filled: str, tmp_path: Path) -> None:
    file, link = tmp_path / "file.md", tmp_path / "link.md"
    file.write_text("old")
    link.symlink_to(file)
    assert run(filled, "abc", "--format", "md", "-o", str(link), "--force") == 0
    assert link.is_symlink()
    assert file.read_text().startswith("# prompt")


def test_the_output_is_utf8_whatever_the_terminal_speaks(store: SqliteStore, location: str) -> None:
    store.save("demo:é", [Turn(role="user", blocks=[Text("Zürich 錠")])])
    command = [sys.executable, "-m", "sparrow_tui", "export", "--store", location, "--no-sync"]
    for form in ("md", "html", "json"):
        done = subprocess.run(
            [*command, "demo:é", "--format", form],
            capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True,
        )  # fmt: skip
        assert "Zürich 錠" in done.stdout.decode()


def test_a_dash_is_stdout(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, "abc", "--format", "md", "-o", "-") == 0
    assert capsys.readouterr().out.startswith("# prompt")


def test_sessions_that_cannot_be_told_apart(
    filled: str, store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.save("demo:abd", [Turn(role="user", blocks=[Text("another")])])
    for text, said in (("ab", "fits several sessions (demo:ab"), ("", "no session")):
        assert run(filled, text, "--format", "md") == 1
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert said in told.err


def test_redaction_tells_how_many(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(filled, "abc", "--format", "json", "--redact") == 0
    said = capsys.readouterr()
    assert SECRET not in said.out
    assert "1 secret was redacted: 1 × GitHub Token" in said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nobody", "--format", "md"], 1), (["abc"], 2), (["abc", "--format", "pdf"], 2),
     (["--format", "md"], 2), (["abc", "--format", "md", "-o", "/nowhere/at/all.md"], 1)],
)  # fmt: skip
def test_mistakes_are_one_sentence(
    filled: str, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(filled, *arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_nothing_heavy_is_loaded(filled: str) -> None:
    """Neither the app's toolkit nor, unless asked for, the detectors and what they need."""
    program = (
        "import sys; from sparrow_tui.cli import main; "
        f"main(['export', '--store', {filled!r}, '--no-sync', 'abc', '--format', 'json']); "
        "print([m for m in ('textual', 'rich', 'detect_secrets', 'markdown_it') "
        "if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
