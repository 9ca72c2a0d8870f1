"""Patch exports: git and patch make the edited files from the original ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from excerpts import call, excerpt_of

from sparrow_tui.export import patch
from sparrow_tui.export.edits import Delete, Move, Replace, Unclear, Write, changes
from sparrow_tui.export.known import KnownFiles, numbered
from sparrow_tui.model import Text, ToolResult, ToolUse, Turn

PROJECT = "/home/ada/code/harbor"
POEM = "".join(f"line {n}\n" for n in range(1, 41))


def shown(text: str, start: int = 1, mark: str = "\t") -> str:
    lines = text.split("\n")
    lines = lines[:-1] if text.endswith("\n") else lines
    return "\n".join(f"{n:>6}{mark}{line}" for n, line in enumerate(lines, start))


def exported(turns: list[Turn]) -> tuple[str, list[str]]:
    source = excerpt_of(turns, project=PROJECT, title="A\ntitle")
    return "".join(patch.pieces(source)), source.notes


def apply(program: list[str], folder: Path, files: dict[str, str], text: str) -> dict[str, str]:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    if program[0] == "git":
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    done = subprocess.run(program, cwd=folder, input=text.encode(), capture_output=True)
    assert done.returncode == 0, (done.stdout, done.stderr, text)
    return {
        str(path.relative_to(folder)): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.suffix != ".orig"
    }


GIT = ["git", "apply", "-"]
PATCH = ["patch", "-p1", "-s"]


@pytest.mark.parametrize("program", [GIT, PATCH], ids=["git", "patch"])
def test_edits_of_files_that_were_read(program: list[str], tmp_path: Path) -> None:
    poem = f"{PROJECT}/poem.txt"
    turns = [
        *call(1, "Read", {"file_path": poem}, shown(POEM, mark="→")),
        *call(2, "Edit", {"file_path": poem, "old_string": "ine 5\nli", "new_string": "X\nY\nli"}),
        *call(3, "MultiEdit", {"file_path": poem, "edits": [
            {"old_string": "line 1\n", "new_string": ""},
            {"old_string": "line 40", "new_string": "the end"},
        ]}),
        *call(4, "Edit", {"file_path": "poem.txt", "old_string": "3", "new_string": "three",
                          "replace_all": True}),
        *call(5, "Write", {"file_path": f"{PROJECT}/sub dir/new.py", "content": "a = 1\nb = 2"}),
        *call(6, "Edit", {"file_path": f"{PROJECT}/sub dir/new.py", "old_string": "b = 2",
                          "new_string": "b = 3\n"}),
        *call(7, "Write", {"file_path": poem, "content": "short\nline 2\n"}, "has been updated"),
    ]  # fmt: skip
    text, notes = exported(turns[:-2])
    poem_after = POEM.replace("ine 5\nli", "X\nY\nli").replace("line 1\n", "")
    poem_after = poem_after.replace("line 40", "the end").replace("3", "three")
    expected = {"poem.txt": poem_after, "sub dir/new.py": "a = 1\nb = 3\n"}
    assert apply(program, tmp_path / "a", {"poem.txt": POEM}, text) == expected
    assert notes == ["6 edits are in the patch"]
    # A file written anew is compared with what is known of it.
    text, notes = exported(turns)
    expected["poem.txt"] = "short\nline 2\n"
    assert apply(program, tmp_path / "b", {"poem.txt": POEM}, text) == expected
    assert notes == ["7 edits are in the patch"]


@pytest.mark.parametrize("program", [GIT, PATCH], ids=["git", "patch"])
def test_a_codex_patch_of_files_never_shown(program: list[str], tmp_path: Path) -> None:
    body = (
        "*** Begin Patch\n*** Update File: poem.txt\n@@ somewhere\n line 10\n line 11\n-line 12\n"
        "+LINE 12\n line 13\n line 14\n@@\n line 20\n-line 21\n line 22\n line 23\n"
        "*** Add File: new.txt\n+hello\n+\n+world\n*** End Patch"
    )
    for value in (body, {"input": body}, {"command": ["apply_patch", body]},
                  {"command": f"apply_patch <<'EOF'\n{body}\nEOF"}):  # fmt: skip
        text, notes = exported(call(1, "apply_patch", value))
        after = POEM.replace("line 12", "LINE 12").replace("line 21\n", "")
        assert apply(program, tmp_path / "a", {"poem.txt": POEM}, text) == {
            "poem.txt": after, "new.txt": "hello\n\nworld\n",
        }  # fmt: skip
        assert notes[0] == "3 edits are in the patch"
        assert "2 of them" in notes[1]


@pytest.mark.parametrize(
    "program", [["git", "apply", "--unidiff-zero", "-"], PATCH], ids=["git", "patch"]
)
def test_an_edit_of_whole_lines_never_shown(program: list[str], tmp_path: Path) -> None:
    turns = [
        *call(1, "edit", {"path": "poem.txt", "oldText": "line 7\nline 8\n", "newText": "line 7\n8\n"}),
        *call(2, "str_replace_editor", {"command": "insert", "path": "poem.txt", "insert_line": 2,
                                        "new_str": "between"}),
    ]  # fmt: skip
    text, notes = exported(turns)
    after = POEM.replace("line 8\n", "8\n").replace("line 2\n", "line 2\nbetween\n")
    assert apply(program, tmp_path / "a", {"poem.txt": POEM}, text) == {"poem.txt": after}
    assert "2 of them" in notes[1]


@pytest.mark.parametrize("program", [GIT, PATCH], ids=["git", "patch"])
def test_lines_the_answer_shows_give_the_place(program: list[str], tmp_path: Path) -> None:
    after = POEM.replace("ne 30", "ne thirty")
    answer = "Updated. Here is a snippet:\n" + shown(
        "".join(after.splitlines(keepends=True)[26:34]), 27, "→"
    )
    text, notes = exported(call(1, "Edit", {"file_path": "poem.txt", "old_string": "ne 30",
                                            "new_string": "ne thirty"}, answer))  # fmt: skip
    assert apply(program, tmp_path / "a", {"poem.txt": POEM}, text) == {"poem.txt": after}
    assert len(notes) == 1


@pytest.mark.parametrize("program", [GIT, PATCH], ids=["git", "patch"])
def test_deleting_moving_and_names_that_need_quotes(program: list[str], tmp_path: Path) -> None:
    odd = 'a "quoted"\tname.txt'
    patched = (
        "*** Begin Patch\n*** Delete File: poem.txt\n*** Update File: new.txt\n"
        "*** Move to: moved.txt\n@@\n one\n-two\n+2\n three\n*** End Patch"
    )
    turns = [
        *call(1, "Read", {"file_path": f"{PROJECT}/poem.txt"}, shown(POEM)),
        *call(2, "Write", {"file_path": f"{PROJECT}/{odd}", "content": "x\n"}),
        *call(3, "Read", {"file_path": f"{PROJECT}/new.txt"}, shown("one\ntwo\nthree\n")),
        *call(4, "apply_patch", patched),
    ]
    text, notes = exported(turns)
    files = {"poem.txt": POEM, "new.txt": "one\ntwo\nthree\n"}
    assert apply(program, tmp_path / "a", files, text) == {
        odd: "x\n", "moved.txt": "one\n2\nthree\n",
    }  # fmt: skip
    assert notes == ["4 edits are in the patch"]


@pytest.mark.parametrize("program", [GIT, PATCH], ids=["git", "patch"])
def test_a_file_never_shown_is_moved_and_changed(program: list[str], tmp_path: Path) -> None:
    patched = (
        "*** Begin Patch\n*** Update File: poem.txt\n*** Move to: song.txt\n@@\n line 8\n"
        "-line 9\n+9\n line 10\n*** End Patch"
    )
    text, _ = exported(call(1, "apply_patch", patched))
    assert apply(program, tmp_path / "a", {"poem.txt": POEM}, text) == {
        "song.txt": POEM.replace("line 9", "9")
    }
    text, _ = exported(call(1, "apply_patch", "*** Begin Patch\n*** Update File: poem.txt\n"
                                              "*** Move to: song.txt\n*** End Patch"))  # fmt: skip
    assert apply(program, tmp_path / "b", {"poem.txt": POEM}, text) == {"song.txt": POEM}


def test_failed_and_rewound_edits_are_left_out() -> None:
    edit = {"file_path": "a.txt", "old_string": "a", "new_string": "b"}
    rewound = Turn(role="assistant", branch=True, blocks=[ToolUse("c3", "Edit", edit)])
    result = Turn(role="tool", branch=True, blocks=[ToolResult("c3", [Text("ok")])])
    text, notes = exported([*call(1, "Edit", edit, "not found", error=True), rewound, result])
    assert "diff --git" not in text
    assert notes[1] == "2 edits that failed or were taken back are left out"


def test_what_cannot_be_written_is_said() -> None:
    turns = [
        *call(1, "NotebookEdit", {"notebook_path": "a.ipynb", "new_source": "x"}),
        *call(2, "apply_patch", "*** Begin Patch\n*** Delete File: gone.txt\n*** End Patch"),
    ]
    text, notes = exported(turns)
    assert "a.ipynb cannot be written" in text
    assert "gone.txt cannot be written" in text
    assert "diff --git" not in text
    assert "2 changes could not be written as a patch" in notes


def test_hostile_names_and_titles_stay_comments_and_names(tmp_path: Path) -> None:
    bad = "../../../etc/passwd\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\x1b[2J"
    text, _ = exported(call(1, f"Write\n{bad}", {"file_path": bad, "content": "x\n"}))
    assert "diff --git" not in text  # a tool of another name is no writer
    text, _ = exported(call(1, "Write", {"file_path": bad, "content": "x\n"}))
    assert "\x1b" not in text
    assert [line for line in text.split("\n") if line.startswith("+++ ")] == [
        '+++ "b/home/etc/passwd\\n--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-a\\n+b\\033[2J"\t'
    ]


def test_spellings_of_edits() -> None:
    pair = Replace("f", "a", "b")
    for name, value in [
        ("Edit", {"file_path": "f", "old_string": "a", "new_string": "b"}),
        ("edit", {"filePath": "f", "oldString": "a", "newString": "b"}),
        ("edit", {"path": "f", "edits": [{"oldText": "a", "newText": "b"}]}),
        ("StrReplaceFile", {"path": "f", "edit": {"old": "a", "new": "b"}}),
        ("str_replace_editor", {"command": "str_replace", "path": "f", "old_str": "a", "new_str": "b"}),
        ("multi_replace", {"replacements": [{"filePath": "f", "oldString": "a", "newString": "b"}]}),
    ]:  # fmt: skip
        assert changes(name, value) == [pair]
    assert changes("search_replace", {"file_path": "f", "content":
        "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE"}) == [Replace("f", "a\n", "b\n")]  # fmt: skip
    assert changes("WriteFile", {"path": "f", "content": "x", "mode": "append"}) == [
        Write("f", "x", True)
    ]
    assert changes("apply_patch", {"patch": "*** Begin Patch\n*** Update File: f\n"
        "*** Move to: g\n-a\n+b\n*** End Patch"}) == [Move("f", "g"), Replace("g", "a\n", "b\n")]  # fmt: skip
    assert changes("apply_patch", "*** Begin Patch\n*** Delete File: f\n*** End Patch") == [
        Delete("f")
    ]
    assert changes("edit_file", {"target_file": "f", "code_edit": "…"}) == [Unclear("f")]
    for name, value in [
        ("Bash", {"command": "echo '*** Begin Patch'"}), ("Read", {"file_path": "f"}),
        ("text_editor", {"command": "view", "path": "f"}), ("x", None), ("x", [1]), ("Edit", {}),
        ("Edit", {"file_path": 3, "old_string": "a", "new_string": "b"}), ("Write", "text"),
    ]:  # fmt: skip
        assert changes(name, value) == []


def test_a_file_known_in_parts_is_not_taken_for_whole() -> None:
    path = f"{PROJECT}/poem.txt"
    turns = [
        *call(1, "Read", {"file_path": path}, shown("one\ntwo\n")),
        *call(2, "Read", {"file_path": path, "offset": 10}, shown("ten\neleven\n", 10)),
        *call(3, "Write", {"file_path": path, "content": "new\n"}, "has been updated"),
    ]
    text, notes = exported(turns)
    assert "-one" not in text
    assert "1 of them" in notes[1]


def test_what_is_known_of_files_is_bounded() -> None:
    files = KnownFiles(most=100_000)
    for number in range(50):
        files.saw(f"/f{number}", "x" * 10_000, whole=True)
    held = [number for number in range(50) if files.get(f"/f{number}") is not None]
    assert 5 <= len(held) <= 10
    assert held[-1] == 49
    assert numbered("    99999999\tx\n100000000\ty") is None
    assert numbered("nothing here") is None
