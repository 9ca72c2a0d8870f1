"""Claude Code's transcripts: every kind of record, the tree, tokens, side files, prompt history."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, rewrite, torture_lines
from real import found_real
from session_reading import Reading, Session, paths, read_all, same

from sparrow_tui.agents import claude_tree
from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.claude import AGENT
from sparrow_tui.model import (
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolUse,
    Turn,
    Usage,
    text_form,
)
from sparrow_tui.store import open_store
from sparrow_tui.store.flags import Flag
from sparrow_tui.sync.importing import import_all

SID = "3f1d2c4b-0a9e-4d77-8b11-5c6e7f809a1b"
CWD = "/w/lighthouse"


def record(kind: str, uuid: str, parent: str | None, second: int, **more: Any) -> dict[str, Any]:
    return {
        "parentUuid": parent, "isSidechain": False, "userType": "external", "cwd": CWD,
        "sessionId": SID, "version": "2.1.79", "gitBranch": "fog", "type": kind, "uuid": uuid,
        "timestamp": f"2026-03-01T10:{second // 60:02}:{second % 60:02}.000Z", **more,
    }  # fmt: skip


def user(uuid: str, parent: str | None, second: int, content: Any, **more: Any) -> dict[str, Any]:
    return record(
        "user", uuid, parent, second, message={"role": "user", "content": content}, **more
    )


def says(
    uuid: str, parent: str | None, second: int, request: str, *blocks: Any,
    tokens: tuple[int, int, int, int] = (3, 900, 15000, 4), model: str = "claude-sonnet-4-6",
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """One line of an assistant's message; tokens are (input, cache write, cache read, output)."""
    plain, write, read, output = tokens
    message = {
        "id": request, "type": "message", "role": "assistant", "model": model,
        "content": list(blocks), "stop_reason": None,
        "usage": {
            "input_tokens": plain, "cache_creation_input_tokens": write,
            "cache_read_input_tokens": read, "output_tokens": output, "service_tier": "standard",
        },
    }  # fmt: skip
    return record(
        "assistant", uuid, parent, second, message=message, requestId=f"req_{request}", **more
    )


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(ident: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": ident, "name": name, "input": arguments}


def answer(ident: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": ident, "content": content, **more}


def system(uuid: str, subtype: str, second: int, **more: Any) -> dict[str, Any]:
    return record("system", uuid, None, second, subtype=subtype, **more)


PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
}
LOG: list[dict[str, Any]] = [
    {"type": "file-history-snapshot", "messageId": "m0", "snapshot": {}, "isSnapshotUpdate": False},
    {"type": "mode", "mode": "default", "sessionId": SID},
    user("u1", None, 0, "Why does the lamp flicker?"),
    says("a1", "u1", 1, "msg_1", {"type": "thinking", "thinking": "Perhaps the oil.", "signature": "x"}, tokens=(3, 900, 15000, 4)),
    says("a2", "a1", 2, "msg_1", {"type": "thinking", "thinking": "", "signature": "y"}, tokens=(3, 900, 15000, 4)),
    says("a3", "a2", 3, "msg_1", text("I shall look at the lamp."), tokens=(3, 900, 15000, 60)),
    says("a4", "a3", 4, "msg_1", call("toolu_1", "Bash", command="cat lamp.log"), tokens=(3, 900, 15000, 90)),
    {"type": "custom-title", "customTitle": "The flickering lamp", "sessionId": SID},
    record("progress", "p1", "a4", 4, data={"type": "bash_progress", "output": "…"}, toolUseID="toolu_1"),
    user("r1", "p1", 5, [answer("toolu_1", "flicker at dusk", is_error=False)], toolUseResult={"stdout": "flicker at dusk", "durationMs": 120}),
    says("a5", "r1", 6, "msg_2", call("toolu_2", "Read", file_path="/w/lighthouse/wick.txt"), call("toolu_3", "Read", file_path="/gone")),
    user("r2", "a5", 7, [answer("toolu_2", [text("wick is short"), PICTURE, {"type": "tool_reference", "tool_name": "Trim"}]), answer("toolu_3", "No such file", is_error=True)]),
    says("a6", "r2", 8, "msg_3", text("The wick is short."), tokens=(1, 0, 100, 7)),
    system("s1", "turn_duration", 9, durationMs=9000),
]  # fmt: skip


def dumps(value: Any) -> str:
    """JSON as Claude Code writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def project(home: Path) -> Path:
    return home / ".claude" / "projects" / "-w-lighthouse"


def write(path: Path, *records: Any, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(dumps(r) + "\n" for r in records) + tail)
    return path


def read(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def told(tmp_path: Path, *records: Any) -> Session:
    return read(write(project(tmp_path) / f"{SID}.jsonl", *records))


def test_a_session(tmp_path: Path) -> None:
    session = told(tmp_path, *LOG)
    info = session.info
    assert (info.id, info.title, info.project, info.branch, info.model, info.parent) == (
        f"claude:{SID}", "The flickering lamp", CWD, "fog", "claude-sonnet-4-6", None,
    )  # fmt: skip
    assert (info.created_at, info.updated_at) == (1772359200000, 1772359208000)
    assert info.extra["version"] == "2.1.79"
    assert session.roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert session.turns[0].blocks == [Text("Why does the lamp flicker?")]
    assert session.turns[1].blocks == [
        Reasoning("Perhaps the oil."),
        Text("I shall look at the lamp."),
        ToolUse("toolu_1", "Bash", {"command": "cat lamp.log"}),
    ]
    first, second, third = session.results()
    assert (first.tool_use_id, first.content, first.is_error, first.duration_ms) == (
        "toolu_1", [Text("flicker at dusk")], False, 120,
    )  # fmt: skip
    assert second.content[:2] == [
        Text("wick is short"),
        Image(media_type="image/png", data="AAAA", size=3),
    ]
    assert second.content[2] == Text("Trim")
    assert (third.tool_use_id, third.is_error) == ("toolu_3", True)
    assert {use.id for use in session.uses()} == {r.tool_use_id for r in session.results()}
    assert not any(turn.branch or turn.meta for turn in session.turns)
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (14, 9, 5, 0)
    resume = AGENT.resume(info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("claude", "--resume", SID), CWD)


def test_tokens_are_the_largest_of_a_message_id(tmp_path: Path) -> None:
    session = told(tmp_path, *LOG)
    assert session.usage == Usage(input=7, output=101, cache_read=30100, cache_write=1800)
    assert session.turns[1].usage == Usage(3, 90, 15000, 900)
    assert session.turns[1].usage_id == "msg_1"
    # A message whose lines stand apart counts once; its later turn holds only what is new.
    apart = told(
        tmp_path,
        user("u1", None, 0, "Trim both"),
        says("a1", "u1", 1, "msg_1", call("t1", "Trim"), tokens=(5, 10, 20, 30)),
        user("r1", "a1", 2, [answer("t1", "done")]),
        says("a2", "r1", 3, "msg_1", call("t2", "Trim"), tokens=(5, 10, 20, 45)),
        user("r2", "a2", 4, [answer("t2", "done")]),
    )
    assert [turn.usage for turn in apart.turns if turn.usage] == [
        Usage(5, 30, 20, 10),
        Usage(output=15),
    ]
    assert apart.turns[3].usage_total == Usage(5, 45, 20, 10)
    # Without a message id the request's counts, then the record's own.
    bare = says("b1", None, 0, "", text("x"), tokens=(1, 0, 0, 1))
    told_apart = told(
        tmp_path, bare, {**bare, "uuid": "b2"}, {**bare, "uuid": "b3", "requestId": "r"}
    )
    assert [turn.usage_id for turn in told_apart.turns] == ["req_", "r"]
    assert told_apart.usage == Usage(input=2, output=2)


def stored(home: Path, location: Path) -> dict[str, Any]:
    """What a store holds after an import of a home's sessions, by session id."""
    store = open_store(str(location))
    try:
        import_all(store, Place(home, {}, "linux"), lambda progress: None, workers=1)
        return {session.id: session for session in store.list()}
    finally:
        store.close()


def test_tokens_of_resumed_copies_count_once_in_the_store(tmp_path: Path) -> None:
    other = "99999999-0a9e-4d77-8b11-5c6e7f809a1b"
    write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    more = says("a9", "a6", 90, "msg_9", text("And trimmed."), tokens=(1, 2, 3, 4))
    write(
        project(tmp_path) / f"{other}.jsonl",
        *({**line, "sessionId": other} for line in (*LOG, more)),
    )
    sessions = stored(tmp_path, tmp_path / "store" / "archive.db")
    assert set(sessions) == {f"claude:{SID}", f"claude:{other}"}
    with closing(open_store(str(tmp_path / "store" / "archive.db"))) as store:
        sums = store.totals.overall()
    assert (sums.input, sums.output, sums.cache_read, sums.cache_write) == (8, 105, 30103, 1802)
    assert sums.requests == 4


def test_title_precedence(tmp_path: Path) -> None:
    prompt = user("u1", None, 0, "Paint the tower")
    assert told(tmp_path, prompt).info.title is None  # the store takes the first prompt
    summary = {"type": "summary", "summary": "Tower painting", "leafUuid": "u1"}
    made = {"type": "ai-title", "aiTitle": "Painting a tower", "sessionId": SID}
    own = {"type": "custom-title", "customTitle": "Red stripes", "sessionId": SID}
    assert told(tmp_path, summary, prompt).info.title == "Tower painting"
    assert told(tmp_path, made, prompt, summary).info.title == "Painting a tower"
    assert told(tmp_path, own, prompt, made, summary).info.title == "Red stripes"
    later = {**own, "customTitle": "White stripes"}
    empty = {**own, "customTitle": " "}
    assert told(tmp_path, own, prompt, later, empty).info.title == "White stripes"


def test_title_from_the_index_of_sessions(tmp_path: Path) -> None:
    prompt = user("u1", None, 0, "Paint the tower")
    index = project(tmp_path) / "sessions-index.json"
    index.parent.mkdir(parents=True)
    entries = [{"sessionId": "other", "summary": "Nets"}, {"sessionId": SID, "summary": "A coat of paint"}]  # fmt: skip
    index.write_text(json.dumps({"version": 1, "entries": entries}))
    assert told(tmp_path, prompt).info.title == "A coat of paint"
    made = {"type": "ai-title", "aiTitle": "Painting a tower", "sessionId": SID}
    assert told(tmp_path, prompt, made).info.title == "Painting a tower"
    for broken in ("{", "[]", '{"entries": 5}', '{"entries": [5, {"sessionId": 7}]}'):
        index.write_text(broken)
        assert told(tmp_path, prompt).info.title is None


def test_rename_typed_as_a_command_is_a_title(tmp_path: Path) -> None:
    words = "<command-name>/rename</command-name>\n<command-message>rename</command-message>\n<command-args>Red stripes</command-args>"
    made = {"type": "ai-title", "aiTitle": "Painting", "sessionId": SID}
    prompt = user("u1", None, 0, "Paint the tower")
    assert told(tmp_path, prompt, user("u2", "u1", 1, words), made).info.title == "Red stripes"
    assert told(tmp_path, system("s1", "local_command", 1, content=words)).info.title == "Red stripes"  # fmt: skip
    own = {"type": "custom-title", "customTitle": "White stripes", "sessionId": SID}
    assert told(tmp_path, user("u2", None, 1, words), own).info.title == "White stripes"
    plain = words.replace("Red stripes", "")
    assert told(tmp_path, prompt, user("u2", "u1", 1, plain), made).info.title == "Painting"


def test_what_an_editor_puts_in_is_not_the_prompt(tmp_path: Path) -> None:
    opened = "<ide_opened_file>The user opened lamp.py in the IDE.</ide_opened_file>"
    session = told(tmp_path, user("u1", None, 0, [text(opened), text("Light the lamp")]))
    assert [(t.meta, t.blocks) for t in session.turns] == [
        (False, [Text("Light the lamp")]),
        (True, [Text(opened)]),
    ]


def test_user_records_that_are_not_the_person(tmp_path: Path) -> None:
    session = told(
        tmp_path,
        user("u1", None, 0, "Caveat: messages below were generated", isMeta=True),
        user("u2", "u1", 1, "<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args>opus</command-args>"),
        user("u3", "u2", 2, "<local-command-stdout>Set model</local-command-stdout>"),
        user("u4", "u3", 3, [text("<system-reminder>Be brief.</system-reminder>"), text("Light the lamp")]),
        user("u5", "u4", 4, [text("[Request interrupted by user]")]),
        user("u6", "u5", 5, "This session is being continued: the lamp was lit.", isCompactSummary=True),
        user("u7", "u6", 6, "<task-notification>done</task-notification>"),
        user("u8", "u7", 7, [answer("t9", "late"), text("and this too")]),
        user("u9", "u8", 8, [text("See the picture"), PICTURE]),
    )  # fmt: skip
    assert [(turn.role, turn.meta) for turn in session.turns] == [
        ("user", True), ("system", False), ("user", True), ("user", False), ("user", True),
        ("system", False), ("summary", True), ("user", True), ("tool", False), ("user", False),
        ("user", False),
    ]  # fmt: skip
    assert session.turns[1].blocks == [Notice("command", "/model opus")]
    assert session.turns[3].blocks == [Text("Light the lamp")]
    assert session.turns[5].blocks == [Notice("interruption", "Request interrupted by user")]
    assert session.turns[10].blocks[1] == Image(media_type="image/png", data="AAAA", size=3)
    assert len({turn.uid for turn in session.turns}) == len(session.turns)


def test_what_a_team_says_is_not_the_person(tmp_path: Path) -> None:
    """A member of a team of agents is told its work, and tells of it, in users' records."""

    def mail(who: str, words: str, more: str = "") -> str:
        return f'<teammate-message teammate_id="{who}"{more}>\n{words}\n</teammate-message>'

    idle = mail("keeper", '{"type":"idle_notification","from":"keeper"}')
    lead = user("u1", None, 0, mail("team-lead", "Trim the wick.\n\nThen light it."))
    member = told(tmp_path, lead, says("a1", "u1", 1, "m1", text("Trimmed.")))
    assert [(turn.role, turn.meta) for turn in member.turns] == [
        ("user", True),
        ("assistant", False),
    ]
    assert member.info.title == "Trim the wick."

    summed = user("u1", None, 0, mail("team-lead", "Light it.", ' color="red" summary="The lamp"'))
    late = user("u2", "a1", 2, "And the door?")
    path = write(project(tmp_path) / f"{SID}.jsonl", user("u0", None, 0, idle), summed)
    assert read(path).info.title == "The lamp"
    source = AGENT.source_at(write(path, summed, says("a1", "u1", 1, "m1", text("Lit."))))
    assert source is not None
    glanced = AGENT.glance(source)
    assert glanced is not None
    assert glanced.session.title == "The lamp"
    assert [turn.role for turn in glanced.turns] == ["assistant"]
    assert not read(write(path, summed, late)).info.title  # its first prompt names it
    assert not told(tmp_path, user("u1", None, 0, "Why?"), summed).info.title


def test_a_command_keeps_what_its_message_says_beside_its_name(tmp_path: Path) -> None:
    words = "<command-message>The lamp skill is loading</command-message>\n<command-name>/lamp</command-name>\n<command-args>at dusk</command-args>"
    same = "<command-message>lamp</command-message>\n<command-name>/lamp</command-name>"
    alone = "<command-message>Lighting the lamp</command-message>"
    session = told(
        tmp_path,
        user("u1", None, 0, words),
        user("u2", "u1", 1, same),
        user("u3", "u2", 2, alone),
        system("s1", "local_command", 3, content=words),
    )
    both = [Notice("command", "/lamp at dusk"), Notice("info", "The lamp skill is loading")]
    assert [turn.blocks for turn in session.turns] == [
        both, [Notice("command", "/lamp")], [Notice("info", "Lighting the lamp")], both,
    ]  # fmt: skip
    assert session.info.title == "/lamp at dusk"


def test_system_records_attachments_and_errors(tmp_path: Path) -> None:
    session = told(
        tmp_path,
        user("u1", None, 0, "Watch the sea"),
        says("a1", "u1", 1, "x1", text("API Error: overloaded"), model="<synthetic>", isApiErrorMessage=True, tokens=(0, 0, 0, 0)),
        says("a2", "a1", 2, "x2", text("No response requested."), model="<synthetic>", tokens=(0, 0, 0, 0)),
        system("s1", "api_error", 3, error={}),
        system("s2", "compact_boundary", 4, content="Conversation compacted", compactMetadata={"trigger": "auto", "preTokens": 155000}),
        system("s3", "local_command", 5, content="<command-name>/cost</command-name>\n<command-args></command-args>"),
        system("s4", "away_summary", 6, content="While you were away: waves."),
        system("s5", "stop_hook_summary", 7),
        record("attachment", "q1", "a1", 8, attachment={"type": "queued_command", "prompt": "And the gulls?", "commandMode": "prompt"}),
        record("attachment", "q2", "q1", 9, attachment={"type": "todo_reminder", "content": []}),
        {"type": "queue-operation", "operation": "enqueue", "content": "And the gulls?", "sessionId": SID},
        says("a3", "q1", 10, "msg_1", {"type": "redacted_thinking", "data": "xx"}, {"type": "fallback", "to": "m"}, text("Gulls too.")),
        {"type": "hologram", "beam": "violet"},
    )  # fmt: skip
    assert session.turns[1].blocks == [Notice("error", "API Error: overloaded")]
    assert session.turns[1].api_error
    assert session.turns[2].blocks == [Notice("info", "No response requested.")]
    assert not session.turns[2].api_error
    assert session.turns[3].blocks == [
        Notice("compaction", "Conversation compacted (from 155,000 tokens)")
    ]
    assert session.turns[4].blocks == [Notice("command", "/cost")]
    assert session.turns[5].blocks == [Notice("summary", "While you were away: waves.")]
    assert (session.turns[6].role, session.turns[6].meta) == ("user", False)
    assert session.turns[6].blocks == [Text("And the gulls?")]
    assert [type(block) for block in session.turns[7].blocks] == [Raw, Text]
    assert session.turns[8].blocks == [Raw("hologram", {"type": "hologram", "beam": "violet"})]
    assert session.coverage.unknown == {"hologram": 1}
    assert len(session.turns) == 9
    assert session.coverage.skipped == 4
    assert session.usage == Usage(3, 4, 15000, 900)


def attached(number: int, kind: str, **body: Any) -> dict[str, Any]:
    return record("attachment", f"x{number}", None, number, attachment={"type": kind, **body})


def test_what_attachments_hold_is_context(tmp_path: Path) -> None:
    told_hook = {"hookName": "Stop", "hookEvent": "Stop"}
    session = told(
        tmp_path,
        user("u1", None, 0, "Trim the wick, see @lamp.py"),
        attached(1, "file", displayPath="lamp.py", filename="/w/lamp.py", content={
            "type": "text", "file": {"filePath": "/w/lamp.py", "content": "print('```')", "numLines": 1}}),
        attached(2, "edited_text_file", filename="/w/oil.md", snippet="7\tmore oil"),
        attached(3, "hook_success", hookName="SessionStart:startup", content="Mind the tide.", stdout="Mind the tide.\n", stderr=""),
        attached(4, "hook_success", **told_hook, content="", stdout='{"systemMessage": "Low tide"}'),
        attached(5, "hook_system_message", **told_hook, content="Low tide"),
        attached(6, "hook_additional_context", **told_hook, content=["North wind", "Rain"]),
        attached(7, "hook_blocking_error", **told_hook, blockingError={"blockingError": "Too dark", "command": "look"}),
        attached(8, "todo_reminder", itemCount=2, content=[
            {"content": "Trim it", "status": "completed", "activeForm": "Trimming"},
            {"subject": "Light it", "description": "at dusk", "status": "pending"}]),
        attached(9, "diagnostics", files=[{"uri": "/w/lamp.py", "diagnostics": [
            {"message": "No oil", "severity": "Warning", "range": {"start": {"line": 6}}}]}]),
        attached(10, "nested_memory", path="/w/CLAUDE.md", content={"content": "Speak softly."}),
        attached(11, "file", displayPath="bay.png", content={
            "type": "image", "file": {"base64": "AAAA", "type": "image/png"}}),
        attached(12, "skill_listing", content="- lamp: everything about lamps"),
        attached(13, "hologram_seen", beam="violet"),
        says("a1", "u1", 14, "m1", text("Done.")),
    )  # fmt: skip
    assert session.roles == ["user", *["system"] * 11, "assistant"]
    context = session.turns[1:-2]
    assert all(turn.meta for turn in context)
    assert [turn.blocks for turn in context] == [
        [Notice("info", "Attached lamp.py"), Text("````py\nprint('```')\n````")],
        [Notice("info", "Changed outside: /w/oil.md"), Text("```\n7\tmore oil\n```")],
        [Notice("info", "Hook SessionStart:startup"), Text("Mind the tide.")],
        [Notice("info", "Hook Stop"), Text("Low tide")],
        [Notice("info", "Hook Stop"), Text("North wind\nRain")],
        [Notice("error", "Hook Stop blocked this"), Text("Too dark\nlook")],
        [Notice("info", "Reminded of its tasks"), Text("- [x] Trim it\n- [ ] Light it: at dusk")],
        [Notice("info", "Diagnostics"), Text("- /w/lamp.py:7 Warning: No oil")],
        [Notice("info", "Instructions /w/CLAUDE.md"), Text("Speak softly.")],
        [Notice("info", "Attached bay.png"), Image("image/png", "AAAA", size=3)],
    ]
    assert session.coverage.unknown == {"attachment hologram_seen": 1}
    assert (session.coverage.kept, session.coverage.skipped) == (13, 2)


def test_context_is_no_mark_of_the_session(tmp_path: Path) -> None:
    hook = attached(1, "hook_additional_context", hookName="Look", content=["North wind"])
    write(project(tmp_path) / f"{SID}.jsonl", user("u1", None, 0, "Look"), hook,
          system("s1", "compact_boundary", 2, content="Compacted"))  # fmt: skip
    stored(tmp_path, tmp_path / "store" / "archive.db")
    with closing(open_store(str(tmp_path / "store" / "archive.db"))) as store:
        assert store.places.flagged(f"claude:{SID}", Flag.NOTICE, 0, 9) == [2]


def test_context_leaves_the_state_of_the_session_as_it_was(tmp_path: Path) -> None:
    hook = attached(3, "hook_additional_context", hookName="Look", content=["North wind"])
    asked = user("u1", None, 0, "Look at the lamp")
    busy = told(tmp_path, asked, says("a1", "u1", 1, "m1", call("t1", "Look")), hook)
    done = told(tmp_path, asked, says("a1", "u1", 1, "m1", text("It is lit.")), hook)
    assert (busy.info.status, done.info.status) == ("working", "waiting")


def queued(operation: str, second: int, content: str | None = None) -> dict[str, Any]:
    words = {} if content is None else {"content": content}
    time = f"2026-03-01T10:00:{second:02}.000Z"
    return {"type": "queue-operation", "operation": operation, "timestamp": time,
            "sessionId": SID, **words}  # fmt: skip


def test_words_typed_meanwhile_that_only_the_queue_tells(tmp_path: Path) -> None:
    begun = [
        user("u1", None, 0, "Trim the wick"),
        says("a1", "u1", 1, "m1", call("t1", "Trim")),
        queued("enqueue", 2, "Mind the glass"),
        queued("enqueue", 3, "<task-notification>Oil came</task-notification>"),
        queued("enqueue", 4, "Then rest"),
        queued("remove", 5),
        queued("remove", 5),
    ]
    answered = [
        user("r1", "a1", 6, [answer("t1", "trimmed")]),
        says("a2", "r1", 7, "m2", text("The glass is whole.")),
        queued("dequeue", 8),
        user("u2", "a2", 8, "Then rest"),
    ]
    session = told(tmp_path, *begun)
    assert [(t.role, t.meta) for t in session.turns[2:]] == [("user", True), ("user", True)]
    session = told(tmp_path, *begun, *answered)
    assert session.roles == ["user", "assistant", "tool", "user", "user", "assistant", "user"]
    assert session.turns[3].blocks == [Text("Mind the glass")]
    assert [turn.meta for turn in session.turns[3:]] == [True, True, False, False]
    assert session.coverage.kept == 7


@pytest.mark.parametrize(
    "order", ["attachment removal answer", "removal attachment answer", "removal answer attachment"]
)
def test_words_typed_meanwhile_are_told_once(tmp_path: Path, order: str) -> None:
    records = {
        "attachment": attached(4, "queued_command", prompt="Mind the glass", commandMode="prompt"),
        "removal": queued("remove", 4),
        "answer": says("a2", "u1", 5, "m2", text("I do.")),
    }
    session = told(
        tmp_path,
        user("u1", None, 0, "Trim the wick"),
        says("a1", "u1", 1, "m1", call("t1", "Trim")),
        queued("enqueue", 2, "Mind the glass"),
        queued("enqueue", 3, "Never mind"),
        *(records[name] for name in order.split()),
        queued("popAll", 6),
        queued("remove", 7),
        user("u2", "a2", 8, "Rest"),
    )
    assert session.texts() == ["Trim the wick", "Mind the glass", "I do.", "Rest"]


def test_an_answer_from_before_does_not_answer_words_typed_meanwhile(tmp_path: Path) -> None:
    """Lines are written late: what the model said before may come after the queue's."""
    begun = [
        user("u1", None, 0, "Trim the wick"),
        queued("enqueue", 3, "Mind the glass"),
        queued("remove", 5),
        says("a1", "u1", 2, "m1", call("t1", "Trim")),
        says("a2", "a1", 4, "m2", call("t2", "Trim")),
        user("r1", "a2", 5, [answer("t1", "trimmed"), answer("t2", "trimmed")]),
    ]
    given = attached(5, "queued_command", prompt="Mind the glass", commandMode="prompt")
    after = says("a3", "r1", 7, "m3", text("The glass is whole."))
    session = told(tmp_path, *begun, given, after)
    assert session.roles == ["user", "assistant", "assistant", "tool", "user", "assistant"]
    assert [turn.meta for turn in session.turns if turn.role == "user"] == [False, False]
    session = told(tmp_path, *begun, after)
    assert session.roles == ["user", "assistant", "assistant", "tool", "user", "assistant"]
    assert [turn.meta for turn in session.turns if turn.role == "user"] == [False, True]
    grow(AGENT, write(project(tmp_path) / f"{SID}.jsonl", *begun, given, after))


def test_links_failures_and_what_a_stop_hook_said(tmp_path: Path) -> None:
    pull = {"type": "pr-link", "sessionId": SID, "prNumber": 7, "prUrl": "https://h.invalid/7"}
    down = {"error": {"formatted": "529 overloaded"}, "maxRetries": 10}
    session = told(
        tmp_path,
        pull,
        pull,
        {"type": "frame-link", "frameUrl": "https://h.invalid/f", "title": "The bay"},
        system("s1", "api_error", 1, **down, retryAttempt=1),
        system("s2", "api_error", 2, **down, retryAttempt=2),
        system("s3", "stop_hook_summary", 3, hookErrors=["lamp: not lit"], stopReason=""),
        system("s4", "error", 4, error={"message": "429"}),
        system("s5", "api_refusal", 5, content="refusal", apiRefusalExplanation="Too bright."),
    )
    assert [block for turn in session.turns for block in turn.blocks] == [
        Notice("info", "Pull request #7  https://h.invalid/7"),
        Notice("info", "The bay  https://h.invalid/f"),
        Notice("error", "API error, tried again: 529 overloaded"),
        Notice("error", "Stop hook: lamp: not lit"),
        Notice("error", "429"),
        Notice("info", "refusal\nToo bright."),
    ]
    assert (session.coverage.kept, session.coverage.skipped) == (6, 2)


def test_documents_and_blocks_nobody_knows(tmp_path: Path) -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    plain = {"type": "text", "media_type": "text/plain", "data": "High water at nine."}
    found = [{"type": "web_search_result", "title": "Tides", "url": "https://tides.invalid",
              "encrypted_content": "secret"}]  # fmt: skip
    session = told(
        tmp_path,
        user("u1", None, 0, [
            {"type": "document", "title": "chart.pdf", "source": pdf},
            {"type": "document", "title": "tides", "source": plain}, text("Read these"),
        ]),
        says("a1", "u1", 1, "msg_1",
             {"type": "web_search_tool_result", "tool_use_id": "s1", "content": found},
             {"type": "fallback", "model": "m"}, {"type": "hologram", "beam": 1}),
        user("r1", "a1", 2, [answer("t1", [{"type": "tool_reference", "tool_name": "Sonar"}])]),
    )  # fmt: skip
    assert session.turns[0].blocks == [
        Image("application/pdf", "JVBERg==", url="chart.pdf", size=6),
        Text("[tides]\nHigh water at nine."),
        Text("Read these"),
    ]
    assert [result.content for result in session.results()] == [
        [Text("Tides\nhttps://tides.invalid")], [Text("Sonar")],
    ]  # fmt: skip
    assert session.coverage.unknown == {"block hologram": 1}


def test_sub_agents_are_sessions_of_their_own(tmp_path: Path) -> None:
    folder = project(tmp_path)
    spawn = says("a1", "u1", 1, "msg_1", call("toolu_t", "Task", description="Count gulls", prompt="Count"))  # fmt: skip
    back = user("r1", "a1", 9, [answer("toolu_t", "Seven gulls.")], toolUseResult={"agentId": "abc12345", "totalDurationMs": 4000, "status": "completed"})  # fmt: skip
    write(folder / f"{SID}.jsonl", user("u1", None, 0, "How many gulls?"), spawn, back)
    lines = (
        user("x1", None, 2, "Count the gulls", isSidechain=True, agentId="abc12345"),
        says("x2", "x1", 3, "msg_x", text("Seven gulls."), isSidechain=True, agentId="abc12345"),
    )
    new = write(folder / SID / "subagents" / "agent-abc12345.jsonl", *lines)
    new.with_name("agent-abc12345.meta.json").write_text(
        json.dumps({"agentType": "Explore", "description": "Count gulls"})
    )
    deep = write(folder / SID / "subagents" / "workflows" / "wf-1" / "agent-def.jsonl", *lines)
    log = write(deep.with_name("journal.jsonl"), *lines)
    assert read(log).info.id == f"claude:{SID}/workflows/wf-1/journal"
    assert read(log).info.parent == f"claude:{SID}"
    old = write(folder / "agent-0badcafe.jsonl", *lines)
    parent = read(folder / f"{SID}.jsonl")
    (result,) = parent.results()
    assert (result.child, result.duration_ms) == (f"claude:{SID}/agent-abc12345", 4000)
    child = read(new)
    assert (child.info.id, child.info.parent) == (result.child, f"claude:{SID}")
    assert (child.info.title, child.info.extra["agent type"]) == ("Count gulls", "Explore")
    assert (child.roles, child.usage) == (["user", "assistant"], Usage(3, 4, 15000, 900))
    assert AGENT.source_at(new.with_name("agent-abc12345.meta.json")) == AGENT.source_at(new)
    assert (read(deep).info.id, read(deep).info.parent) == (
        f"claude:{SID}/agent-def",
        f"claude:{SID}",
    )
    assert (read(old).info.id, read(old).info.parent) == (
        f"claude:{SID}/agent-0badcafe",
        f"claude:{SID}",
    )
    resume = AGENT.resume(child.info)
    assert resume is not None
    assert resume.argv == ("claude", "--resume", SID)


def test_older_sub_agents_are_linked_by_what_they_were_asked(tmp_path: Path) -> None:
    folder = project(tmp_path)
    calls = [call(f"toolu_{n}", "Task", description="Count", prompt=p) for n, p in enumerate(("Gulls", "Gulls", "Terns", "Rocks"))]  # fmt: skip
    back = [user(f"r{n}", "a1", 9, [answer(f"toolu_{n}", "Seven.")]) for n in range(4)]
    for name, asked, session in (
        ("agent-0badcafe", "Gulls", SID), ("agent-1badcafe", "Gulls", SID),
        ("agent-2badcafe", "Terns", SID), ("agent-3badcafe", "Rocks", "another"),
    ):  # fmt: skip
        write(folder / f"{name}.jsonl", {**user("x1", None, 2, asked, isSidechain=True), "sessionId": session})  # fmt: skip
    (folder / "agent-empty.jsonl").write_text("")
    made = write(folder / f"{SID}.jsonl", user("u1", None, 0, "Go"), says("a1", "u1", 1, "m", *calls), *back)  # fmt: skip
    assert [result.child for result in read(made).results()] == [
        f"claude:{SID}/agent-0badcafe",
        f"claude:{SID}/agent-1badcafe",
        f"claude:{SID}/agent-2badcafe",
        "",
    ]
    assert read(folder / "agent-2badcafe.jsonl").info.id == f"claude:{SID}/agent-2badcafe"


def spilled(home: Path, named: str) -> Session:
    return told(
        home,
        says("a1", None, 1, "msg_1", call("toolu_1", "Bash", command="seq 9")),
        user("r1", "a1", 2, [answer("toolu_1", "Output too large, preview")], toolUseResult={"stdout": "", "persistedOutputPath": named}),
    )  # fmt: skip


def test_spilled_results(tmp_path: Path) -> None:
    side = project(tmp_path) / SID / "tool-results" / "b1.txt"
    side.parent.mkdir(parents=True)
    side.write_bytes(b"all nine numbers \xff")
    assert spilled(tmp_path, f"/elsewhere/{SID}/tool-results/b1.txt").results()[0].content == [
        Text("all nine numbers �")
    ]
    assert spilled(tmp_path, f"C:\\x\\{SID}\\tool-results\\b1.txt").results()[0].content == [
        Text("all nine numbers �")
    ]
    preview = [Text("Output too large, preview")]
    secret = tmp_path / "secret.txt"
    secret.write_text("not yours")
    (side.parent / "link.txt").symlink_to(secret)
    for named in ("link.txt", str(secret), "../../../secret.txt", "", "..", "gone.txt", "a\0b"):
        assert spilled(tmp_path, named).results()[0].content == preview


def test_spilled_results_elsewhere(tmp_path: Path) -> None:
    side = project(tmp_path) / SID / "tool-results" / "b1.txt"
    side.parent.mkdir(parents=True)
    side.write_text("all nine numbers")
    lines = (
        says("a1", None, 1, "msg_1", call("toolu_1", "Bash", command="seq 9")),
        user("r1", "a1", 2, [answer("toolu_1", "preview")], toolUseResult={"persistedOutputPath": "/x/tool-results/b1.txt"}),
    )  # fmt: skip
    deep = project(tmp_path) / SID / "subagents" / "workflows" / "wf-1" / "agent-def.jsonl"
    assert read(write(deep, *lines)).results()[0].content == [Text("all nine numbers")]
    # Some tools tell the place in the result alone.
    words = f"<persisted-output>\nOutput too large (36KB). Full output saved to: /x/{SID}/tool-results/b1.txt\n\nPreview (first 2KB):\nall n\n</persisted-output>"
    session = told(tmp_path, lines[0], user("r1", "a1", 2, [answer("toolu_1", words)]))
    assert session.results()[0].content == [Text("all nine numbers")]
    gone = words.replace("b1.txt", "b2.txt")
    session = told(tmp_path, lines[0], user("r1", "a1", 2, [answer("toolu_1", gone)]))
    assert session.results()[0].content == [Text(gone)]


def test_a_name_no_file_system_takes_costs_nothing(tmp_path: Path) -> None:
    for named in ("x" * 5000 + ".txt", "/" + "y/" * 3000):
        session = spilled(tmp_path, named)
        assert session.results()[0].content == [Text("Output too large, preview")]


def fork(*uuids: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    """Lines for (kind, uuid, parent): ``u`` is a prompt, ``a`` an answer."""
    return [
        user(own, parent, second, f"prompt {own}") if kind == "u"
        else says(own, parent, second, f"msg_{own}", text(f"answer {own}"))
        for second, (kind, own, parent) in enumerate(uuids)
    ]  # fmt: skip


def branches(session: Session) -> str:
    return "".join("-" if turn.branch else "+" for turn in session.turns)


FORK = fork(
    ("u", "u1", None), ("a", "a1", "u1"),
    ("u", "u2", "a1"), ("a", "a2", "u2"), ("u", "u3", "a2"), ("a", "a3", "u3"),
    ("u", "u4", "a1"), ("a", "a4", "u4"), ("u", "u5", "a4"), ("a", "a5", "u5"),
)  # fmt: skip


def test_rewound_branches(tmp_path: Path) -> None:
    assert branches(told(tmp_path, *FORK)) == "++----++++"
    twice = fork(("u", "u6", "a1"), ("a", "a6", "u6"))
    assert branches(told(tmp_path, *FORK, *twice)) == "++--------++"
    reading, path = Reading(), project(tmp_path) / f"{SID}.jsonl"
    for number in range(1, len(FORK) + 3):
        write(path, *[*FORK, *twice][:number])
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_a_fork_within_a_dead_branch_stays_dead(tmp_path: Path) -> None:
    lines = fork(
        ("u", "u1", None), ("a", "a1", "u1"),
        ("u", "u2", "a1"), ("a", "a2", "u2"), ("u", "u3", "a2"), ("a", "a3", "u3"),
        ("u", "u4", "a2"), ("a", "a4", "u4"), ("u", "u5", "a4"), ("a", "a5", "u5"),
        ("u", "u6", "a1"), ("a", "a6", "u6"), ("u", "u7", "a6"),
    )  # fmt: skip
    assert branches(told(tmp_path, *lines)) == "++--------+++"
    path, reading = project(tmp_path) / f"{SID}.jsonl", Reading()
    for number in range(1, len(lines) + 1):
        write(path, *lines[:number])
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_a_fork_written_while_the_file_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *FORK)
    again = fork(("u", "u6", "a1"), ("a", "a6", "u6"))
    original = claude_tree.dead_prompts

    def and_grow(name: str) -> list[str]:
        found = original(name)
        write(path, *FORK, *again)
        return found

    monkeypatch.setattr(claude_tree, "dead_prompts", and_grow)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert len(reading.sessions[SID].turns) == 12
    monkeypatch.undo()
    write(path, *FORK, *again, user("u7", "a6", 30, "Go on"))
    reading.take(AGENT, AGENT.source_at(path))
    assert branches(reading.sessions[SID]) == "++--------+++"


def test_reading_on(tmp_path: Path) -> None:
    path, reading, emitted = project(tmp_path) / f"{SID}.jsonl", Reading(), []
    for number in range(1, len(LOG) + 1):
        half = dumps(LOG[number])[:40] if number < len(LOG) else ""
        write(path, *LOG[:number], tail=half)
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert max(emitted) <= 2
    assert reading.take(AGENT, AGENT.source_at(path)).emitted <= 1


def test_only_new_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sparrow_tui.agents import lines

    path = write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    offsets: list[int] = []
    original = lines.lines
    monkeypatch.setattr(
        lines, "lines", lambda p, offset=0: offsets.append(offset) or original(p, offset)
    )
    size = path.stat().st_size
    write(path, *LOG, user("u7", "a6", 80, "Thanks"))
    reading.take(AGENT, AGENT.source_at(path))
    assert offsets == [size]
    assert reading.sessions[SID].turns[-1].blocks == [Text("Thanks")]


def test_growing_and_rewritten_files(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    grow(AGENT, path)
    rewrite(AGENT, path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    write(path, user("n1", None, 0, "Another story"), *LOG[3:])
    reading.take(AGENT, AGENT.source_at(path))
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert reading.sessions[SID].texts()[0] == "Another story"
    grow(AGENT, write(path, *FORK))


def test_bad_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", LOG[2])
    odd = json.dumps(user("u2", "u1", 1, "gull PLACE")).encode()
    with path.open("ab") as file:
        file.write(b'{"type":"user","mess\n[]\nnull\n\n{"type":"user","uuid":"z"}\n')
        file.write(odd.replace(b"PLACE", b"\xff\xfe caf\xe9") + b"\n")
        other = odd.replace(b'"u2"', b'"u3"')
        file.write(other.replace(b"PLACE", b"\\ud83d half \\u0000 \\u001b[31m") + b"\r\n")
        file.write(b"\x00\x00\x00\n")
    session = read(path)
    assert (session.coverage.records, session.coverage.kept, session.coverage.bad) == (8, 3, 5)
    assert session.texts()[1] == "gull \ufffd\ufffd caf\ufffd"
    adds_up({SID: session})


def test_records_glued_to_one_line_are_all_read(tmp_path: Path) -> None:
    """What was cut off before its line break is followed by the next record on the same line."""
    one, two, three = (user(f"l{n}", None, n, f"Lamp {{{n}}}{{") for n in range(3))
    lines = [dumps(one) + dumps(two), dumps(three) + '{"type":"us', dumps(LOG[2])]
    path = project(tmp_path) / f"{SID}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    session = read(path)
    assert session.texts() == ["Lamp {0}{", "Lamp {1}{", "Lamp {2}{", "Why does the lamp flicker?"]
    assert (session.coverage.records, session.coverage.bad) == (5, 1)
    grow(AGENT, path)
    path.write_text(dumps(one) + dumps(two) + '{"type":"us')  # a writer is at work
    assert read(path).texts() == ["Lamp {0}{", "Lamp {1}{"]
    assert read(path).coverage.bad == 0


def test_a_record_written_anew_is_one(tmp_path: Path) -> None:
    """Claude Code cannot read glued lines itself: it writes what was lost there once more."""
    lit = says("a1", "u1", 1, "m1", text("It is lit."), tokens=(3, 900, 15000, 4))
    path = project(tmp_path) / f"{SID}.jsonl"
    path.parent.mkdir(parents=True)
    summary = {"type": "summary", "summary": "The lamp", "leafUuid": "a1"}
    anew = [dumps(system("s1", "turn_duration", 2)), dumps(lit), dumps(user("u2", "a1", 9, "Good"))]
    path.write_text("\n".join([dumps(LOG[2]), dumps(lit) + dumps(summary), *anew]) + "\n")
    session = read(path)
    assert session.texts() == ["Why does the lamp flicker?", "It is lit.", "Good"]
    assert session.usage == Usage(3, 4, 15000, 900)
    assert session.info.title == "The lamp"
    adds_up({SID: session})
    grow(AGENT, path)


def test_the_line_of_an_unknown_record_is_told(tmp_path: Path) -> None:
    path = project(tmp_path) / f"{SID}.jsonl"
    path.parent.mkdir(parents=True)
    odd = {"type": "moth", "sessionId": SID}
    path.write_text(dumps(LOG[2]) + dumps(LOG[3]) + "\n\n" + dumps(LOG[5]) + dumps(odd))
    source = AGENT.source_at(path)
    assert source is not None
    (batch,) = AGENT.read(source, None)
    assert batch.coverage.examples == {"moth": "3"}
    with path.open("a") as file:  # the line break came late
        file.write("\n" + dumps(odd) + "\n")
    (batch,) = AGENT.read(source, batch.checkpoint)
    assert batch.coverage.examples == {"moth": "4"}


def test_a_byte_order_mark_costs_no_record(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    expected = read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    same({SID: read(path)}, {SID: expected})


def test_hostile_records(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *LOG, *FORK)
    assert torture_lines(AGENT, path) > 1000


def test_records_left_out_unparsed_are_only_those(tmp_path: Path) -> None:
    deep = "/w/" + "long/" * 200
    session = told(
        tmp_path,
        {**says("a1", None, 0, "m1", call("t1", "Emit", event={"type": "progress"})), "cwd": deep},
        user("u1", "a1", 1, 'print {"type":"progress"} twice'),
    )
    assert session.uses()[0].input == {"event": {"type": "progress"}}
    assert session.roles == ["assistant", "user"]
    unusual = {"note": {"type": "progress"}, **user("u2", None, 2, "Still here"), "cwd": deep}
    (turn,) = told(tmp_path, unusual).turns
    assert turn.blocks == [Text("Still here")]


SIDE = [
    user("u1", None, 0, "Count the birds"),
    says("a1", "u1", 1, "m1", call("toolu_g", "Task", description="Gulls", prompt="Count gulls"), call("toolu_t", "Task", description="Terns", prompt="Count terns")),
    user("g1", None, 2, "Count gulls", isSidechain=True),
    user("t1", None, 2, "Count terns", isSidechain=True),
    says("g2", "g1", 3, "mg", call("toolu_l", "Bash", command="look"), isSidechain=True),
    says("t2", "t1", 4, "mt", text("Two terns."), isSidechain=True, tokens=(1, 1, 1, 1)),
    record("progress", "g3", "g2", 4, isSidechain=True, data={}),
    user("g4", "g3", 5, [answer("toolu_l", "7 gulls")], isSidechain=True),
    says("g5", "g4", 6, "mg2", text("Seven gulls."), isSidechain=True, tokens=(1, 1, 1, 1)),
    user("r1", "a1", 7, [answer("toolu_g", "Seven gulls."), answer("toolu_t", "Two terns.")]),
    says("a2", "r1", 8, "m2", text("Nine birds.")),
]  # fmt: skip


def test_side_chains_in_the_same_file_are_sessions_of_their_own(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *SIDE)
    found = read_all(AGENT, AGENT.source_at(path))
    main, gulls, terns = (found[f"{SID}{end}"] for end in ("", "/side-g1", "/side-t1"))
    assert len(found) == 3
    assert main.texts() == ["Count the birds", "Nine birds."]
    assert main.roles == ["user", "assistant", "tool", "assistant"]
    assert [r.child for r in main.results()] == [gulls.info.id, terns.info.id]
    assert (gulls.info.parent, gulls.info.parent_tool_use) == (main.info.id, "toolu_g")
    assert (terns.info.parent, terns.info.parent_tool_use) == (main.info.id, "toolu_t")
    assert gulls.texts() == ["Count gulls", "Seven gulls."]
    assert gulls.roles == ["user", "assistant", "tool", "assistant"]
    assert (gulls.info.project, gulls.info.model) == (CWD, "claude-sonnet-4-6")
    assert (gulls.info.created_at, gulls.info.updated_at) == (1772359202000, 1772359206000)
    assert terns.roles == ["user", "assistant"]
    assert not any(turn.branch for session in found.values() for turn in session.turns)
    assert sum(session.coverage.records for session in found.values()) == len(SIDE)
    adds_up(found)
    resume = AGENT.resume(gulls.info)
    assert resume is not None
    assert resume.argv == ("claude", "--resume", SID)
    with pytest.raises(SourceError):
        AGENT.restore(gulls.info, gulls.turns, Place(tmp_path, {}, "linux"))


def test_side_chains_read_on(tmp_path: Path) -> None:
    path, reading = project(tmp_path) / f"{SID}.jsonl", Reading()
    for number in range(1, len(SIDE) + 1):
        write(path, *SIDE[:number])
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted <= 1
    write(path, *SIDE, user("u9", "a2", 9, "Thanks"))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted <= 2  # nothing new beside it
    assert torture_lines(AGENT, path) > 500


def test_side_chains_are_stored_before_the_file_counts_as_read(tmp_path: Path) -> None:
    path = write(project(tmp_path) / f"{SID}.jsonl", *SIDE)
    source = AGENT.source_at(path)
    assert source is not None
    batches = list(AGENT.read(source, None))
    assert [batch.checkpoint is not None for batch in batches] == [False, False, True]


def test_prompt_history_of_deleted_sessions(tmp_path: Path) -> None:
    write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    history = tmp_path / ".claude" / "history.jsonl"
    line = {"display": "Why does the lamp flicker?", "pastedContents": {}, "timestamp": 1772359200000, "project": CWD}  # fmt: skip
    write(
        history,
        {**line, "sessionId": SID},
        {**line, "sessionId": "gone-1", "display": "Where is the oil?"},
        line,
        {**line, "sessionId": "gone-1", "display": "Found it", "timestamp": 1772359260000},
        {**line, "sessionId": "gone-2", "display": "Bell?", "project": "/w/bell"},
        {**line, "sessionId": "gone-3", "display": "  "},
        5,
    )
    found = read_all(AGENT, AGENT.source_at(history))
    assert set(found) == {"gone-1", "gone-2"}
    ghost = found["gone-1"]
    assert ghost.info.ghost
    assert ghost.info.project == CWD
    assert ghost.texts() == ["Where is the oil?", "Found it"]
    assert [turn.time for turn in ghost.turns] == [1772359200000, 1772359260000]


QWENS = (
    b'{"uuid":"1","parentUuid":null,"sessionId":"s","timestamp":"2026-03-01T10:00:00Z",'
    b'"type":"system","subtype":"ui_telemetry","systemPayload":{"uiEvent":{}}}\n'
)
"""A log of Qwen Code, whose envelope is Claude Code's."""


def test_places(tmp_path: Path) -> None:
    main = write(project(tmp_path) / f"{SID}.jsonl", *LOG)
    child = write(project(tmp_path) / SID / "subagents" / "agent-1.jsonl", LOG[2])
    history = write(tmp_path / ".claude" / "history.jsonl", {"display": "x"})
    (main.parent / "sessions-index.json").write_text("{}")
    before = paths(tmp_path)
    sources = list(AGENT.sources(Place(tmp_path, {}, "linux")))
    assert {source.path for source in sources} == {str(main), str(child), str(history)}
    assert sources[-1].kind == "history"
    for source in sources:
        read_all(AGENT, source)
    assert paths(tmp_path) == before
    elsewhere = Place(tmp_path, {"CLAUDE_CONFIG_DIR": str(tmp_path / "c")}, "linux")
    assert AGENT.roots(elsewhere) == [
        tmp_path / "c" / "projects",
        tmp_path / "c" / "history.jsonl",
    ]
    assert list(AGENT.sources(elsewhere)) == []
    assert AGENT.source_at(main.parent / "sessions-index.json") is None
    assert AGENT.sniff(main, main.read_bytes())
    assert AGENT.sniff(Path("x.jsonl"), b'{"type":"summary","summary":"s","leafUuid":"l"}\n')
    assert not AGENT.sniff(Path("x.jsonl"), b'{"type":"session_meta","payload":{"id":"x"}}\n')
    assert not AGENT.sniff(Path("x.jsonl"), b"\xff\xfe\x00")
    assert not AGENT.sniff(Path("x.jsonl"), QWENS)


def test_retention(tmp_path: Path) -> None:
    place = Place(tmp_path, {}, "linux")
    assert AGENT.retention_days(place) == 30
    settings = tmp_path / ".claude" / "settings.json"
    settings.parent.mkdir()
    for content, days in (('{"cleanupPeriodDays": 7}', 7), ("[]", 30), ("{", 30),
                          ('{"cleanupPeriodDays": "x"}', 30)):  # fmt: skip
        settings.write_text(content)
        assert AGENT.retention_days(place) == days


def test_written_back_and_read_again(tmp_path: Path) -> None:
    before = told(tmp_path / "old", *LOG, user("u5", "a6", 30, "Reminder", isMeta=True))
    info, turns = before.info, before.turns
    info.title = "The flickering lamp"
    dead = Turn(role="user", blocks=[Text("never mind")], branch=True)
    place = Place(tmp_path / "new", {}, "linux")
    path = AGENT.restore(info, [*turns, dead], place)
    assert path == project(tmp_path / "new") / f"{SID}.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    after = read(path)
    assert (after.info.title, after.info.project, after.info.branch, after.info.model) == (
        info.title, info.project, info.branch, info.model,
    )  # fmt: skip
    assert after.roles == before.roles
    assert [turn.time for turn in after.turns] == [turn.time for turn in turns]
    assert [turn.meta for turn in after.turns] == [turn.meta for turn in turns]
    assert [text_form(t.blocks) for t in after.turns] == [text_form(t.blocks) for t in turns]
    assert after.uses() == before.uses()
    assert after.usage == before.usage
    assert [r.tool_use_id for r in after.results()] == [r.tool_use_id for r in before.results()]
    content = path.read_bytes()
    with pytest.raises(SourceError, match="exists"):
        AGENT.restore(info, turns, place)
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    for other in (SessionInfo(id=f"claude:{SID}/side-1"), SessionInfo(id="claude:g", ghost=True)):
        with pytest.raises(SourceError):
            AGENT.restore(other, turns, place)


# Real sessions, against a minimal count of the lines themselves


def counted(path: Path) -> dict[str, Any]:
    """Messages, calls, results, errors and tokens by the plainest reading of the lines."""
    requests: dict[str, list[int]] = {}
    calls: list[str] = []
    results: list[tuple[str, bool]] = []
    prompts: list[str] = []
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        message = value.get("message") if isinstance(value, dict) else None
        if value.get("type") not in ("user", "assistant") or not isinstance(message, dict):
            continue
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            if part.get("type") == "tool_use":
                calls.append(part["id"])
            elif part.get("type") == "tool_result":
                results.append((part["tool_use_id"], part.get("is_error") is True))
            elif part.get("type") == "text" and value["type"] == "user":
                prompts.append(part["text"])
        if value["type"] == "assistant" and message.get("model") != "<synthetic>":
            usage = message.get("usage") or {}
            key = message.get("id") or value.get("requestId") or value.get("uuid")
            names = ("input_tokens", "output_tokens", "cache_read_input_tokens",
                     "cache_creation_input_tokens")  # fmt: skip
            now = [usage.get(name) or 0 for name in names]
            requests[key] = [
                max(a, b) for a, b in zip(requests.get(key, [0] * 4), now, strict=True)
            ]
    totals = [sum(column) for column in zip(*requests.values(), strict=True)] or [0] * 4
    return {"requests": len(requests), "tokens": totals, "calls": sorted(calls),
            "results": sorted(results), "prompts": sum(1 for p in prompts if p and p.strip())}  # fmt: skip


def test_real_sessions_add_up() -> None:
    for path in found_real("claude/**/*.jsonl"):
        sessions = read_all(AGENT, AGENT.source_at(path))
        adds_up(sessions)
        turns = [turn for session in sessions.values() for turn in session.turns]
        expected = counted(path)
        usage = sum((s.usage for s in sessions.values()), Usage())
        assert [usage.input, usage.output, usage.cache_read, usage.cache_write] == expected["tokens"], path  # fmt: skip
        assert sorted(u.id for s in sessions.values() for u in s.uses()) == expected["calls"]
        found = [(r.tool_use_id, r.is_error is True) for s in sessions.values() for r in s.results()]  # fmt: skip
        assert sorted(found) == expected["results"]
        requests = {t.usage_id for t in turns if t.role == "assistant"}
        assert len(requests) == expected["requests"], path
        broken = sum(session.coverage.bad for session in sessions.values())
        assert broken == sum(
            1 for line in path.read_bytes().splitlines() if line.strip() and not is_object(line)
        )


def is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode("utf-8", "replace"), strict=False), dict)
    except ValueError:
        return False
