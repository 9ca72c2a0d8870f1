"""A tool call in one line, for the names and inputs that agents give their tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui.model import Text, ToolResult, ToolUse
from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.cards import result, use
from sparrow_tui.text.frames import FOLDED, FULL
from sparrow_tui.text.pieces import Page
from sparrow_tui.text.spans import plain
from sparrow_tui.text.tools import LIMIT, brief, gist

PATCH = "*** Begin Patch\n*** Update File: src/a.py\n-x\n+y\n*** Add File: b.py\n+z\n*** End Patch"

CALLS = [
    # Shells
    ("Bash", {"command": "ls -la", "description": "List"}, "ls -la"),
    ("shell", {"command": ["bash", "-lc", "pytest -q"]}, "pytest -q"),
    ("shell", {"command": ["git", "status"]}, "git status"),
    ("exec_command", {"cmd": "rg needle", "workdir": "/w"}, "rg needle"),
    ("container.exec", {"command": ["bash", "-lc", "ls"]}, "ls"),
    ("local_shell_call", {"action": {"type": "exec", "command": ["ls", "/"]}}, "ls /"),
    ("run_shell_command", {"command": "make", "description": "Build"}, "make"),
    ("run_terminal_cmd", {"command": "npm test", "is_background": False}, "npm test"),
    ("run_in_terminal", {"command": "npm test", "explanation": "why"}, "npm test"),
    ("execute_command", {"command": "cargo build", "requires_approval": False}, "cargo build"),
    ("developer__shell", {"command": "ls"}, "ls"),
    ("execute_bash", {"command": "ls", "summary": "s"}, "ls"),
    ("Execute", {"riskLevel": "low", "command": "ls"}, "ls"),
    ("Shell", {"command": "two\nlines"}, "two lines"),
    ("write_stdin", {"session_id": 7, "chars": "yes\n"}, "yes\\n to 7"),
    ("write_stdin", {"session_id": 7, "chars": ""}, "waits to 7"),
    ("BashOutput", {"bash_id": "b1"}, "b1"),
    ("KillShell", {"shell_id": "b1"}, "b1"),
    # Files
    ("Read", {"file_path": "/w/a.py"}, "/w/a.py"),
    ("Read", {"file_path": "/w/a.py", "offset": 10, "limit": 50}, "/w/a.py:10-59"),
    ("read", {"filePath": "a.py", "offset": 5}, "a.py:5"),
    ("read_file", {"absolute_path": "/w/a.py", "offset": 1, "limit": 2}, "/w/a.py:1-2"),
    ("read_file", {"target_file": "a.py", "start_line_one_indexed": 3,
                   "end_line_one_indexed_inclusive": 9}, "a.py:3-9"),
    ("copilot_readFile", {"filePath": "a.py", "startLine": 3, "endLine": 9}, "a.py:3-9"),
    ("ReadFile", {"path": "a.py", "line_offset": 3, "n_lines": 2}, "a.py:3-4"),
    ("read_many_files", {"paths": ["a.py", "b/*.py"]}, "a.py, b/*.py"),
    ("view", {"path": "a.py", "view_range": [1, 20]}, "a.py:1-20"),
    ("view", {"path": "a.py", "view_range": [30, -1]}, "a.py:30"),
    ("Read", {"path": "a.py", "read_range": [4, 8]}, "a.py:4-8"),
    ("fs_read", {"operations": [{"mode": "Line", "path": "a.py", "start_line": 1, "end_line": 5},
                                {"mode": "Line", "path": "b.py"}]}, "a.py:1-5, b.py"),
    ("view_image", {"path": "a.png"}, "a.png"),
    ("developer__text_editor", {"command": "view", "path": "a.py"}, "view a.py"),
    ("str_replace_editor", {"command": "str_replace", "path": "a.py", "old_str": "x",
                            "new_str": "y"}, "str_replace a.py"),
    ("Edit", {"file_path": "a.py", "old_string": "x", "new_string": "y"}, "a.py"),
    ("replace", {"file_path": "a.py", "old_string": "x", "new_string": "y"}, "a.py"),
    ("edit", {"path": "a.py", "oldText": "x", "newText": "y"}, "a.py"),
    ("StrReplaceFile", {"path": "a.py", "edit": {"old": "x", "new": "y"}}, "a.py"),
    ("search_replace", {"content": "<<<<<<< SEARCH", "file_path": "a.py"}, "a.py"),
    ("write_to_file", {"path": "a.py", "content": "x"}, "a.py"),
    ("Create", {"content": "x", "file_path": "a.py"}, "a.py"),
    ("edit_file", {"target_file": "a.py", "instructions": "i", "code_edit": "x"}, "a.py"),
    ("delete_file", {"target_file": "a.py", "explanation": "e"}, "a.py"),
    ("apply_patch", PATCH, "a.py, b.py"),
    ("apply_patch", {"input": PATCH}, "a.py, b.py"),
    ("patch", {"patchText": PATCH}, "a.py, b.py"),
    # Looking for things
    ("Grep", {"pattern": "def f", "path": "src", "output_mode": "content"}, "def f in src"),
    ("grep", {"pattern": "def f", "include": "*.py"}, "def f in *.py"),
    ("search_file_content", {"pattern": "def f", "dir_path": "src"}, "def f in src"),
    ("grep_search", {"query": "def f", "include_pattern": "*.py"}, "def f in *.py"),
    ("search_files", {"path": "src", "regex": "f.*", "file_pattern": "*.ts"}, "f.* in src"),
    ("codebase_search", {"query": "where is it", "target_directories": ["src"]},
     "where is it in src"),
    ("Glob", {"pattern": "**/*.py"}, "**/*.py"),
    ("Glob", {"patterns": ["*.py", "*.rs"], "folder": "/w"}, "*.py, *.rs in /w"),
    ("glob", {"filePattern": "*.py"}, "*.py"),
    ("Glob", {"glob_pattern": "*.py", "target_directory": "src"}, "*.py in src"),
    ("list_directory", {"dir_path": "src"}, "src"),
    ("LS", {"directory_path": "src"}, "src"),
    ("list_files", {"path": "src", "recursive": True}, "src"),
    ("ls", {}, "."),
    # The web
    ("WebFetch", {"url": "https://a.b/c", "prompt": "sum up"}, "https://a.b/c"),
    ("web_fetch", {"prompt": "sum up https://a.b/c"}, "sum up https://a.b/c"),
    ("read_web_page", {"objective": "o", "url": "https://a.b"}, "https://a.b"),
    ("WebSearch", {"query": "sparrows"}, "sparrows"),
    ("google_web_search", {"query": "sparrows"}, "sparrows"),
    ("web_search", {"search_term": "sparrows", "explanation": "e"}, "sparrows"),
    ("web_search_call", {"action": {"type": "search", "query": "sparrows"}}, "sparrows"),
    # Others at work
    ("Task", {"subagent_type": "Explore", "description": "Find it", "prompt": "long"},
     "Explore: Find it"),
    ("spawn_agent", {"agent_type": "worker", "message": "Do it"}, "worker: Do it"),
    ("delegate_to_agent", {"agent_name": "codebase_investigator", "objective": "Find it"},
     "codebase_investigator: Find it"),
    ("oracle", {"task": "Think hard"}, "Think hard"),
    ("new_task", {"mode": "code", "message": "Do it"}, "code: Do it"),
    ("Task", {"subagent_name": "coder", "description": "Do it", "prompt": "p"}, "coder: Do it"),
    # Plans
    ("TodoWrite", {"todos": [{"content": "a", "status": "completed"},
                             {"content": "b", "status": "in_progress"}]}, "1/2 done · b"),
    ("update_plan", {"explanation": "e", "plan": [{"step": "a", "status": "in_progress"}]},
     "0/1 done · a"),
    ("manage_todo_list", {"operation": "write",
                          "todoList": [{"title": "a", "status": "in-progress"}]}, "0/1 done · a"),
    ("SetTodoList", {"todos": [{"title": "a", "status": "Done"}]}, "1/1 done"),
    ("update_todo", {"todos": "- [x] a\n- [ ] b"}, "1/2 done"),
    ("TodoWrite", {"todos": "1. [completed] a"}, "1. [completed] a"),
    ("TaskCreate", {"subject": "Sweep", "description": "long"}, "Sweep"),
    ("TaskUpdate", {"taskId": "3", "status": "completed"}, "#3 completed"),
    # The rest
    ("AskUserQuestion", {"questions": [{"question": "Which?", "header": "h"}]}, "Which?"),
    ("ask_followup_question", {"question": "Which?"}, "Which?"),
    ("Skill", {"skill": "lamp", "args": "at dusk"}, "lamp at dusk"),
    ("SlashCommand", {"command": "/lamp at dusk"}, "/lamp at dusk"),
    ("use_mcp_tool", {"server_name": "hub", "tool_name": "get_issue",
                      "arguments": '{"query": "q"}'}, "hub get_issue: q"),
    ("browser_action", {"action": "launch", "url": "https://a.b"}, "launch https://a.b"),
    ("mcp__hub__search", {"query": "q"}, "q"),
    ("mcp__hub__mystery", {"zeal": 1, "owner": "me"}, "me"),
    ("report_intent", {"intent": "Looking around"}, "Looking around"),
    ("save_memory", {"fact": "likes tea"}, "likes tea"),
    ("ExitPlanMode", {"plan": "First this"}, "First this"),
    ("mystery", {"n": 5}, '{"n":5}'),
    ("mystery", {}, ""),
    ("mystery", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "said"), CALLS)
def test_a_call_in_one_line(name, value, said):
    assert " ".join(gist(name, value).split()) == said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = sorted({key for _, value, _ in CALLS if isinstance(value, dict) for key in value})


@given(
    st.sampled_from(sorted({name for name, _, _ in CALLS})) | st.text(max_size=12),
    JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5),
)
def test_any_input_has_a_safe_line(name, value):
    said = gist(name, value)
    assert clean_line(said, LIMIT) == said


def test_a_folded_result_begins_with_the_output_itself():
    said = (
        "Chunk ID: cc719b\nWall time: 0.0000 seconds\nProcess exited with code 0\n"
        "Original token count: 11\nOutput:\n## main\n"
    )
    older = "Exit code: 0\nWall time: 0.1 seconds\nOutput:\nhello\n"
    for text, words in ((said, "## main"), (older, "hello"), ("Output:\nx", "Output: x")):
        page = Page()
        result(page, ToolResult("c", [Text(text)]), None, "", 80, FOLDED, 0)
        assert plain(page.pieces[0].lines[0]).endswith(f"  {words}")
    page = Page()
    result(page, ToolResult("c", [Text(said)]), None, "", 80, FULL, 0)
    assert "Chunk ID: cc719b" in plain(page.pieces[0].lines[1])


def test_an_opened_call_tells_its_command_once_and_first():
    page = Page()
    call = ToolUse("c", "exec_command", {"workdir": "/w", "cmd": "git status"})
    use(page, call, None, 80, FULL, 0)
    lines = [plain(line) for line in page.pieces[0].lines]
    assert [line for line in lines if "git status" in line] == [lines[0]]
    page = Page()
    use(page, ToolUse("c", "Bash", {"timeout": 5, "command": "a\nb"}), None, 80, FULL, 0)
    lines = [plain(line).strip(" │") for line in page.pieces[0].lines]
    assert lines[1:] == ["a", "b", "timeout: 5"]


def test_an_open_card_says_the_whole_name_of_its_tool() -> None:
    name = "mcp__a_server_with_a_long_name__and_a_tool_whose_name_goes_on_" + "x" * 60
    for width in (40, 76, 156):
        page = Page()
        use(page, ToolUse("u", name, {"k": "v"}), None, width, FULL, 0)
        lines = [plain(line) for piece in page.pieces for line in piece.lines]
        assert name in "".join(line.removeprefix("  │ ") for line in lines), width
        assert max(map(len, lines)) <= width


def test_an_open_card_lists_tasks_as_such() -> None:
    tasks = [
        {"content": "Trim", "status": "completed", "activeForm": "Trimming"},
        {"content": "Light", "status": "in_progress"},
        {"content": "Rest", "status": "pending"},
        {"content": "Sing", "status": "postponed", "priority": 2},
    ]
    page = Page()
    use(page, ToolUse("1", "TodoWrite", {"todos": tasks, "why": "dusk"}), None, 60, FULL, 0)
    assert [plain(line) for piece in page.pieces for line in piece.lines][1:] == [
        '  │ why: "dusk"', "  │ ☑ Trim  completed · Trimming", "  │ ◐ Light  in progress",
        "  │ ☐ Rest  pending", "  │ ☐ Sing  postponed · 2",
    ]  # fmt: skip


@pytest.mark.parametrize("todos", [[], ["x"], [{"status": 1, "content": ""}], [{"status": "x"}],
                                   [{"status": "x", "content": "a\nb"}],
                                   [{"status": "x", "content": {"deep": "word"}}]])  # fmt: skip
def test_what_is_no_list_of_tasks_is_shown_as_it_is(todos: object) -> None:
    page = Page()
    use(page, ToolUse("1", "TodoWrite", {"todos": todos}), None, 60, FULL, 0)
    lines = [plain(line) for piece in page.pieces for line in piece.lines]
    assert lines[1].startswith("  │ todos: ")


def test_a_change_of_whole_lines_has_no_empty_line_behind_it() -> None:
    page = Page()
    edit = {"file_path": "a", "old_string": "x\n", "new_string": "y\n"}
    use(page, ToolUse("1", "Edit", edit), None, 60, FULL, 0)
    lines = [plain(line) for piece in page.pieces for line in piece.lines]
    assert lines[1:] == ["  │ - x", "  │ + y"]


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("cd /home/ada/code/harbor && ls", "cd …/harbor && ls"),
        ("cd '/home/ada/my code/' ; ls", "cd …/my code && ls"),
        ('cd "C:\\w\\harbor" && ls', "cd …\\harbor && ls"),
        ("cd harbor && ls", "cd harbor && ls"),
        ("cd / && ls", "cd / && ls"),
        ("cd /a/b", "cd /a/b"),
        ("ls && cd /a/b && ls", "ls && cd /a/b && ls"),
    ],
)
def test_where_a_command_runs_takes_little_room(said: str, short: str) -> None:
    assert brief(said) == short


def test_a_command_without_room_is_told_in_full_when_opened() -> None:
    call = ToolUse("1", "Bash", {"command": "cd /home/ada/code/harbor && pytest -q tests"})
    page = Page()
    use(page, call, None, 40, FOLDED, 0)
    assert plain(page.pieces[0].lines[0]) == "… Bash  cd …/harbor && pytest -q tests"
    use(page, call, None, 40, FULL, 0)
    said = "".join(plain(line).strip(" │") for line in page.pieces[0].lines[2:])
    assert said.replace(" ", "") == "cd/home/ada/code/harbor&&pytest-qtests"


def test_a_report_without_output_is_no_output() -> None:
    page = Page()
    report = "Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 1\nOutput:\n"
    result(
        page, ToolResult("1", [Text(report)], is_error=True, exit_code=1), None, "x", 80, FOLDED, 0
    )
    assert plain(page.pieces[0].lines[0]) == "  └ x  exit 1, no output  "
