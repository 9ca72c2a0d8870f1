"""A tool call in one line: the command, the file and lines, the pattern, the question.

Agents name the same tools differently (``Bash``, ``run_shell_command``, ``developer__shell``);
names are compared without their server's or namespace's part, case and underscores.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from sparrow_tui.large import Large
from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.values import beginning

Input = dict[str, Any]

PATHS = ("file_path", "filePath", "path", "target_file", "notebook_path", "filename")
"""Keys under which tools are given a file."""
_FILES = (*PATHS, "absolute_path", "relative_workspace_path", "TargetFile", "paths", "files",
          "filePaths", "file_paths", "file", "image")  # fmt: skip
_FOLDERS = ("path", "dir_path", "directory_path", "dirPath", "relative_workspace_path",
            "directory", "folder", "target_directory", "target_directories", "cwd")  # fmt: skip
_FIRST = (
    "command", "cmd", "script", *PATHS, "pattern", "query", "description", "prompt", "url",
    "regex", "task", "question", "subject", "skill", "name", "objective", "intent", "thought",
    "fact", "plan", "result", "code", "text", "message", "content", "input",
)  # fmt: skip
"""Keys that tell most of a call to a tool that is not known, best first."""
LIMIT = 300
NAME = 60
"""Characters of a tool's name in a card's first line; models take names of up to 128."""
_LOOKED = 200_000
"""Characters of a patch in which names of files are looked for."""
_MOST = 6
"""Files, patterns or addresses of a list that are named."""


def gist(name: str, value: Any) -> str:
    """What a call is about, in one safe line; empty if its input says nothing short."""
    if isinstance(value, Large):
        value = value.beginning
    if isinstance(value, str):
        return clean_line(_patch_gist(value) or value, LIMIT)
    if not isinstance(value, dict):
        return "" if value is None else clean_line(_json(beginning(value, LIMIT)), LIMIT)
    for patch in (value.get("patch"), value.get("patchText"), value.get("input")):
        if isinstance(patch, str) and (found := _patch_gist(patch)):
            return clean_line(found, LIMIT)
    known = _KINDS.get(_plain(name))
    said = known(value) if known is not None else ""
    return clean_line(said or _any(value), LIMIT)


def _plain(name: str) -> str:
    """A tool's own name in small letters: ``mcp__github__get_issue`` → ``getissue``."""
    last = re.split(r"__|[.:/]", name.removeprefix("copilot_").rstrip("_.:/"))[-1]
    return re.sub(r"[^a-z0-9]", "", last.lower())


def _first(value: Input, *keys: str) -> str:
    """The first of some keys that has words, or a list of words."""
    for key in keys:
        said = value.get(key)
        if isinstance(said, str) and said.strip():
            return said
        if isinstance(said, list):
            words = [item for item in said if isinstance(item, str) and item.strip()]
            if words:
                more = len(words) - _MOST
                return ", ".join(words[:_MOST]) + (f" and {more:,} more" if more > 0 else "")
    return ""


def _any(value: Input) -> str:
    """What says most in an input of an unknown shape."""
    said = _first(value, *_FIRST)
    if said:
        return said + _range(value)
    values = islice(value.values(), LIMIT)
    return next((s for s in values if isinstance(s, str) and s.strip()), "") or (
        _json(beginning(value, LIMIT)) if value else ""
    )


_ENTERS = re.compile(r"cd (\"[^\"]*\"|'[^']*'|[^\s;&|]+) *(?:&&|;) *")


def brief(said: str) -> str:
    """A gist that has no room: of the folder a command is run in, the last name is enough."""
    match = _ENTERS.match(said)
    folder = match[1].strip("\"'").rstrip("/\\") if match else ""
    cut = max(folder.rfind("/"), folder.rfind("\\"))
    if match is None or cut < 1:
        return said
    return f"cd …{folder[cut:]} && {said[match.end() :]}"


def _shell(value: Input) -> str:
    command = value.get("command", value.get("cmd", value.get("action", "")))
    if isinstance(command, dict):
        command = command.get("command", "")
    if isinstance(command, list):
        words = [str(word) for word in command[:LIMIT]]
        command = words[-1] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words)
    return str(command)


def _typed(value: Input) -> str:
    """Keys sent to a program that runs."""
    keys = value.get("chars", value.get("input", ""))
    shell = value.get("session_id", value.get("shellId", value.get("sessionId")))
    said = repr(keys)[1:-1] if isinstance(keys, str) and keys else "waits"
    return said if shell is None else f"{said}  to {shell}"


def _running(value: Input) -> str:
    known = ("bash_id", "shell_id", "shellId", "sessionId", "job_id", "task_id", "id", "ids")
    return next((str(value[key]) for key in known if value.get(key) not in (None, "", [])), "")


def _file(value: Input) -> str:
    """A file, its lines, and what is done with it where that is part of the input."""
    inner = value.get("operations")
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
        files = [_file(item) for item in inner[:_MOST] if isinstance(item, dict)]
        return ", ".join(file for file in files if file)
    path = _first(value, *_FILES)
    command = value.get("command")
    verb = f"{command} " if isinstance(command, str) and path and len(command) < 20 else ""
    return f"{verb}{path}{_range(value)}" if path else ""


def _search(value: Input) -> str:
    said = _first(value, "pattern", "query", "regex", "queries", "search_term")
    where = _first(value, *_FOLDERS, "glob", "include", "include_pattern", "includePattern",
                   "file_pattern")  # fmt: skip
    return f"{said}  in {where}" if said and where else said


def _glob(value: Input) -> str:
    said = _first(value, "pattern", "patterns", "glob_pattern", "filePattern", "query", "glob")
    where = _first(value, *_FOLDERS)
    return f"{said}  in {where}" if said and where else said or where


def _folder(value: Input) -> str:
    return _first(value, *_FOLDERS) or "."


def _address(value: Input) -> str:
    return _first(value, "url", "urls", "uri", "prompt", "query")


def _web(value: Input) -> str:
    action = value.get("action")
    said = _web(action) if isinstance(action, dict) else ""
    return said or _first(value, "query", "queries", "search_term", "objective", "url", "pattern")


def _agent(value: Input) -> str:
    kind = _first(value, "subagent_type", "agent_type", "subagent_name", "agent_name", "agent",
                  "mode", "name")  # fmt: skip
    said = _first(value, "description", "objective", "message", "task", "prompt", "query")
    return f"{kind}: {said}" if kind and said else said or kind


def _todo(value: Input) -> str:
    """How many are done, and what is being done."""
    items = next((value[key] for key in ("todos", "plan", "todoList", "todo_list", "tasks", "items")
                  if value.get(key)), None)  # fmt: skip
    if isinstance(items, str):
        marks = re.findall(r"^\s*(?:[-*]|\d+\.)\s*\[(.)\]", items[:_LOOKED], re.MULTILINE)
        done = sum(mark in "xX" for mark in marks)
        return f"{done}/{len(marks)} done" if marks else items
    if not isinstance(items, list):
        return ""
    maps = [item for item in items if isinstance(item, dict)]
    done = sum(_state(item) in ("completed", "done") for item in maps)
    doing = [item for item in maps if _state(item) in ("inprogress", "active", "doing")]
    words = ("content", "step", "title", "description", "activeForm")
    now = _first(doing[0], *words) if doing else ""
    return f"{done}/{len(items)} done" + (f" · {now}" if now else "")


def _state(item: Input) -> str:
    return re.sub(r"[^a-z]", "", str(item.get("status", item.get("state", ""))).lower())


def _task(value: Input) -> str:
    """An entry of a list of tasks."""
    number = value.get("taskId", value.get("task_id"))
    said = _first(value, "subject", "description", "status")
    return f"#{number} {said}".strip() if number not in (None, "") else said


def _question(value: Input) -> str:
    asked = value.get("questions")
    if isinstance(asked, list):
        inner = [item for item in asked if isinstance(item, dict)]
        return "  ".join(_first(item, "question", "header") for item in inner)
    return _first(value, "question", "prompt", "message", "text")


def _skill(value: Input) -> str:
    name = _first(value, "skill", "name", "command")
    return f"{name} {_first(value, 'args', 'arguments')}".strip()


def _server(value: Input) -> str:
    """A tool of a server, called through another tool."""
    tool = _first(value, "tool_name", "toolName", "uri")
    given = value.get("arguments")
    if isinstance(given, str):
        given = _read(given)
    said = gist(tool, given) if isinstance(given, dict) and given else ""
    where = " ".join(part for part in (_first(value, "server_name", "server"), tool) if part)
    return f"{where}: {said}" if said else where


def _browser(value: Input) -> str:
    return f"{_first(value, 'action')} {_first(value, 'url', 'text', 'coordinate')}".strip()


def _kinds() -> Iterator[tuple[str, Callable[[Input], str]]]:
    """Tools by their names, as `_plain` makes them."""
    names = {
        _shell: "bash shell execcommand shellcommand runshellcommand exec executecommand execute"
        " runterminalcmd runinterminal localshell localshellcall terminal executebash runcommand"
        " powershell",
        _typed: "writestdin writebash sendinput",
        _running: "bashoutput readbash stopbash killshell killbash taskoutput taskstop joboutput"
        " jobkill getterminaloutput wait",
        _file: "read readfile view viewfile viewimage openfile readmanyfiles fsread readimage"
        " edit multiedit editfile replace strreplace strreplacefile strreplaceeditor"
        " strreplacebasededittool texteditor replaceinfile replacestring replacestringinfile"
        " multireplacestringinfile searchreplace applydiff inserteditintofile editexistingfile"
        " write writefile writetofile createfile create fswrite delete deletefile undoedit"
        " notebookedit editnotebook readnotebook geterrors diagnostics readlints analyze"
        " listcodedefinitionnames download readmediafile",
        _search: "grep search searchfiles searchfilecontent grepsearch rg ripgrep codesearch"
        " findtextinfiles codebasesearch semanticsearch searchcodebase finder sourcegraph",
        _glob: "glob find findfiles filesearch globfilesearch",
        _folder: "ls list listdir listdirectory listfiles",
        _address: "webfetch fetch fetchurl readwebpage fetchwebpage openurl agenticfetch",
        _web: "websearch googlewebsearch searchweb websearchcall",
        _agent: "task agent spawnagent subagent newtask delegate delegatetoagent oracle"
        " codebaseinvestigator runsubagent usesubagents dispatchagent",
        _todo: "todowrite writetodos updateplan todo todos updatetodo updatetodolist todolist"
        " settodolist managetodolist todoread",
        _task: "taskcreate taskupdate taskget",
        _question: "askuserquestion askuser askfollowupquestion question requestuserinput",
        _skill: "skill slashcommand activateskill",
        _server: "usemcptool accessmcpresource callmcptool readmcpresource",
        _browser: "browseraction",
    }  # fmt: skip
    for kind, spelled in names.items():
        for name in spelled.split():
            yield name, kind


_KINDS = dict(_kinds())


def _range(value: Input) -> str:
    """``:10-59`` where the input names lines."""
    span = next((value[key] for key in ("view_range", "read_range", "viewRange")
                 if isinstance(value.get(key), list)), None)  # fmt: skip
    if span is not None:
        start, end = (*span, None, None)[:2]
    else:
        start = next((value[key] for key in ("offset", "start_line", "startLine", "line_offset",
                      "start_line_one_indexed") if key in value), None)  # fmt: skip
        end = next((value[key] for key in ("end_line", "endLine",
                    "end_line_one_indexed_inclusive") if key in value), None)  # fmt: skip
    if not _is_whole(start):
        return ""
    length = value.get("limit", value.get("n_lines"))
    if _is_whole(length):
        end = start + length - 1
    return f":{start}-{end}" if _is_whole(end) and end > 0 else f":{start}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _patch_gist(text: str) -> str:
    """The files an ``apply_patch`` text touches."""
    if "*** Begin Patch" not in text[:_LOOKED]:
        return ""
    heads = ("*** Update File: ", "*** Add File: ", "*** Delete File: ")
    lines = text[:_LOOKED].splitlines()
    files = [line.partition(": ")[2] for line in lines if line.startswith(heads)]
    return ", ".join(os.path.basename(name.strip()) for name in files)


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode("utf-8", "replace")


def pretty(value: Any) -> str:
    """A JSON value over several lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8", "replace")


def duration(milliseconds: int | None) -> str:
    """``0.4 s``, ``12 s``, ``3 m 05 s``; empty if not known."""
    if milliseconds is None or milliseconds < 0:
        return ""
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60):02} s"
