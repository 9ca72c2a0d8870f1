"""What agents' files hold, by the plainest reading of them: the other side of every comparison.

It knows nothing of the readers it judges: only JSON, SQL and the facts of the formats.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Usage = tuple[int, int, int, int]
"""Input without what was cached, output, read from the cache, written to it."""


@dataclass
class Count:
    """One session; sub-agents' records inside another session's file count with it."""

    prompts: int = 0
    answers: set[str] = field(default_factory=set)
    """Ids of requests that were answered, or running numbers."""
    calls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Calls whose results say that they failed."""
    usage: Usage | None = (0, 0, 0, 0)
    shares: dict[str, Usage] = field(default_factory=dict)
    """Tokens by the request's id, where other sessions may hold the same request."""
    texts: list[str] = field(default_factory=list)
    """Everything that was said or answered: each must be found again."""

    def say(self, *texts: Any) -> None:
        self.texts.extend(t.strip() for t in texts if isinstance(t, str) and t.strip())


def add(one: Usage, other: Usage) -> Usage:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def records(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().split(b"\n"):
        try:
            value = json.loads(line.decode("utf-8", "replace"), strict=False)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


NOT_TYPED = (
    "<command-", "<local-command-", "<system-reminder>", "<task-notification>", "Caveat:",
    "[Request interrupted", "<bash-", "<teammate-message",
)  # fmt: skip


def queued(record: dict[str, Any], waiting: list[str], count: Count) -> None:
    """Words typed while the agent worked: removed from its queue, they went to the model."""
    if record["operation"] == "enqueue":
        waiting.append(record.get("content") or "")
    elif waiting and record["operation"] in ("dequeue", "remove"):
        words = waiting.pop(0)
        if record["operation"] == "remove" and words and words[0] not in "/{":
            count.say(words)


def claude(path: Path) -> Iterator[tuple[str, Count]]:
    count = Count()
    requests: dict[str, list[int]] = {}
    waiting: list[str] = []
    parent = ""
    for record in records(path):
        if record.get("type") == "queue-operation":
            queued(record, waiting, count)
        parent = parent or record.get("sessionId") or ""
        message = record.get("message")
        if record.get("type") not in ("user", "assistant") or not isinstance(message, dict):
            continue
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        spoken = [part["text"] for part in parts if part.get("type") == "text"]
        results = [part for part in parts if part.get("type") == "tool_result"]
        if record["type"] == "user":
            typed = not record.get("isMeta") and not record.get("isCompactSummary")
            if typed and spoken and not str(spoken[0]).lstrip().startswith(NOT_TYPED):
                count.prompts += 1
        elif message.get("model") != "<synthetic>":
            key = message.get("id") or record.get("requestId") or record["uuid"]
            usage = message.get("usage") or {}
            names = ("input_tokens", "output_tokens", "cache_read_input_tokens",
                     "cache_creation_input_tokens")  # fmt: skip
            held = requests.setdefault(key, [0, 0, 0, 0])
            requests[key] = [max(a, usage.get(n) or 0) for a, n in zip(held, names, strict=True)]
        for part in parts:
            if part.get("type") == "tool_use":
                count.calls.append(part["id"])
                count.say(*part["input"].values())
            text = part.get("text") if part.get("type") == "text" else part.get("thinking")
            if not str(text).lstrip().startswith(("<command-", "[Request interrupted")):
                count.say(text)  # those stand as marks in our words
        for result in results:
            inner = result.get("content")
            if not isinstance(inner, list):
                count.say(inner)
            else:
                count.say(*(part.get("text") for part in inner))
            if result.get("is_error") is True:
                count.errors.append(result["tool_use_id"])
    count.answers = set(requests)
    count.shares = {key: (u[0], u[1], u[2], u[3]) for key, u in requests.items()}
    for share in count.shares.values():
        count.usage = add(count.usage or (0, 0, 0, 0), share)
    stem = path.name.removesuffix(".jsonl")
    yield f"claude:{parent}/{stem}" if stem.startswith("agent-") else f"claude:{stem}", count


def codex(path: Path) -> Iterator[tuple[str, Count]]:
    count, ident, items, answers = Count(), "", 0, 0
    for record in records(path):
        body = record.get("payload", record)
        kind = body.get("type")
        if record.get("type") == "session_meta" or (not kind and "instructions" in body):
            ident = ident or body["id"]
        elif kind == "user_message":
            count.prompts += 1
            count.say(body.get("message"))
        elif kind == "token_count":
            total = (body.get("info") or {}).get("total_token_usage")
            if total:
                cached = total["cached_input_tokens"]
                count.usage = (total["input_tokens"] - cached, total["output_tokens"], cached, 0)
        elif kind == "message":
            spoken = [p.get("text") or "" for p in body["content"]]
            count.say(*(text for text in spoken if not text.startswith(("<image", "</image"))))
            first = (spoken or [""])[0].lstrip()
            answers += body["role"] == "assistant"
            items += body["role"] == "user" and not first.startswith(("<", "# AGENTS.md"))
        elif kind and kind.endswith("_call"):
            count.calls.append(body.get("call_id") or body.get("id") or "")
        elif kind in ("function_call_output", "custom_tool_call_output"):
            output = body["output"]
            told, code = output, None
            if isinstance(output, str) and output.startswith("{"):
                value = json.loads(output)
                told = value.get("output", output) if isinstance(value, dict) else output
                code = (value.get("metadata") or {}).get("exit_code")
            elif isinstance(output, str) and "Output:" in output[:400]:
                for line in output[: output.index("Output:")].splitlines():
                    for words in ("Process exited with code ", "Exit code: "):
                        code = int(line.removeprefix(words)) if line.startswith(words) else code
            if code:
                count.errors.append(body["call_id"])
            count.say(told)
        elif kind == "reasoning":
            count.say(*(part.get("text") for part in body.get("summary") or ()))
    count.prompts = count.prompts or items
    count.answers = {str(number) for number in range(answers)}
    yield f"codex:{ident}", count


def copilot(path: Path) -> Iterator[tuple[str, Count]]:
    count, output, closed = Count(), 0, [0, 0, 0, 0]
    for record in records(path):
        kind, data = record["type"], record["data"]
        if kind == "user.message":
            count.prompts += 1
            count.say(data["content"])
        elif kind == "assistant.message":
            count.answers.add(data.get("messageId") or record["id"])
            count.say(data["content"])
            count.calls += [request["toolCallId"] for request in data.get("toolRequests") or ()]
            output += data.get("outputTokens") or 0
        elif kind == "tool.execution_complete":
            count.say((data.get("result") or {}).get("content"))
            if not data["success"]:
                count.errors.append(data["toolCallId"])
        elif kind == "session.shutdown":
            for model in data["modelMetrics"].values():
                usage = model["usage"]
                read, wrote = usage["cacheReadTokens"], usage["cacheWriteTokens"]
                part = (usage["inputTokens"] - read - wrote, usage["outputTokens"], read, wrote)
                closed = [a + b for a, b in zip(closed, part, strict=True)]
    count.usage = (closed[0], max(output, closed[1]), closed[2], closed[3])
    yield f"copilot:{path.parent.name}", count


def pi(path: Path) -> Iterator[tuple[str, Count]]:
    count, ident = Count(), ""
    for record in records(path):
        if record["type"] == "session":
            ident = record["id"]
        message = record.get("message") or {}
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        count.say(*(part.get("text") or part.get("thinking") for part in parts))
        role = message.get("role")
        if role == "user":
            count.prompts += 1
        elif role == "assistant":
            count.answers.add(str(len(count.answers)))
            usage = message["usage"]
            share = (usage["input"], usage["output"], usage["cacheRead"], usage["cacheWrite"])
            count.usage = add(count.usage or (0, 0, 0, 0), share)
            count.calls += [part["id"] for part in parts if part["type"] == "toolCall"]
        elif role == "toolResult" and message.get("isError"):
            count.errors.append(message["toolCallId"])
    yield f"pi:{ident}", count


def gemini(path: Path) -> Iterator[tuple[str, Count]]:
    count = Count()
    session = json.loads(path.read_text())
    for message in session["messages"]:
        count.say(message["content"])
        count.prompts += message["type"] == "user"
        if message["type"] == "gemini":
            count.answers.add(message["id"])
        for call in message.get("toolCalls") or ():
            count.calls.append(call["id"])
            if call["status"] != "success":
                count.errors.append(call["id"])
            for result in call.get("result") or ():
                count.say(result["functionResponse"]["response"].get("output"))
        if tokens := message.get("tokens"):
            share = (tokens["input"] - tokens["cached"], tokens["output"] + tokens["thoughts"],
                     tokens["cached"], 0)  # fmt: skip
            count.usage = add(count.usage or (0, 0, 0, 0), share)
    yield f"gemini:{session['sessionId']}", count


def crush(path: Path) -> Iterator[tuple[str, Count]]:
    agent = "crush" if path.name == "crush.db" else "opencode-go"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for ident, asked, answered in db.execute(
            "SELECT id, prompt_tokens, completion_tokens FROM sessions"
        ).fetchall():
            count = Count(usage=(asked, answered, 0, 0))
            for number, role, parts in db.execute(
                "SELECT id, role, parts FROM messages WHERE session_id = ?", (ident,)
            ).fetchall():
                kinds = [(part["type"], part["data"]) for part in json.loads(parts)]
                said = any(kind in ("text", "image_url", "binary") for kind, _ in kinds)
                count.prompts += role == "user" and said
                if role == "assistant" and {kind for kind, _ in kinds} - {"finish"}:
                    count.answers.add(number)
                for kind, data in kinds:
                    count.say(data.get("text"), data.get("thinking"))
                    if kind == "tool_call":
                        count.calls.append(data["id"])
                    elif kind == "tool_result":
                        count.say(data["content"])
                        if data.get("is_error"):
                            count.errors.append(data["tool_call_id"])
            yield f"{agent}:{ident}", count


PLACES: tuple[tuple[str, Callable[[Path], Iterator[tuple[str, Count]]]], ...] = (
    (".claude/projects/**/*.jsonl", claude),
    (".codex/sessions/**/*.jsonl", codex),
    (".copilot/session-state/*/events.jsonl", copilot),
    (".pi/agent/sessions/**/*.jsonl", pi),
    (".gemini/tmp/*/chats/*.json", gemini),
    ("work/crush/*/.crush/*.db", crush),
    ("work/opencode-go/*/.opencode/*.db", crush),
)


def counted(home: Path) -> dict[str, Count]:
    """Every session in a home, by its id in our store."""
    found: dict[str, Count] = {}
    for pattern, count in PLACES:
        for path in sorted(home.glob(pattern)):
            found.update(count(path))
    return found
