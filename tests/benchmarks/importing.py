"""How long an import takes, beside fast-resume's on the same home in the same run.

    python -m tests.benchmarks.importing [--home DIR | --sessions N] [--rounds N]

Without ``--home`` a home of invented Claude Code and Codex sessions is written first. Both
programs begin with nothing; files are in the page cache. fast-resume (``pip install fast-resume``)
indexes conversation only. Every figure is a ratio ours / fast-resume's where there is one to compare
with; where it is not installed, our own times stand alone.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import ctypes
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = 1_750_000_000


@dataclass
class Run:
    """One run of a program: seconds to its marks, and the most memory it and its children had."""

    marks: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    cpu: float = 0.0
    """Seconds of processor time, children's too: steadier than the clock on a shared machine."""


def words(rng: random.Random, vocabulary: list[str], number: int) -> str:
    """Text with a few frequent words and many rare ones."""
    return " ".join(
        vocabulary[min(int(rng.paretovariate(0.7)), len(vocabulary)) - 1] for _ in range(number)
    )


def invent_home(home: Path, sessions: int) -> None:
    """Write Claude Code and Codex sessions with prompts, answers, tool calls and their output."""
    rng = random.Random(7)
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    vocabulary = list({"".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(60_000)})
    for number in range(sessions):
        ident = f"{number:08x}-1111-4222-8333-444455556666"
        begun = START + number * 600
        records: list[dict[str, object]] = []
        for turn in range(rng.randint(4, 16)):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(begun + turn * 20))
            said = words(rng, vocabulary, rng.randint(5, 80))
            shown = "\n".join(
                words(rng, vocabulary, 12) for _ in range(int(rng.lognormvariate(2.5, 1)))
            )
            if number % 2:
                records += _claude(ident, turn, stamp, said, shown)
            else:
                records += _codex(ident, turn, stamp, said, shown)
        if number % 2:
            path = home / f".claude/projects/-home-ann-p{number % 40}/{ident}.jsonl"
        else:
            day = time.strftime("%Y/%m/%d", time.gmtime(begun))
            path = home / f".codex/sessions/{day}/rollout-2025-06-15T00-00-00-{ident}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        os.utime(path, (begun, begun))


def _claude(ident: str, turn: int, stamp: str, said: str, shown: str) -> list[dict[str, object]]:
    common = {"sessionId": ident, "cwd": "/home/ann/p", "version": "2.0.1", "timestamp": stamp,
              "isSidechain": False}  # fmt: skip
    call = f"toolu_{ident[:8]}_{turn}"
    answer = {
        "role": "assistant", "id": f"msg_{ident[:8]}_{turn}", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": said},
                    {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": "ls"}}],
        "usage": {"input_tokens": 900, "output_tokens": 90},
    }  # fmt: skip
    result = [{"type": "tool_result", "tool_use_id": call, "content": shown}]
    return [
        {
            **common,
            "type": "user",
            "uuid": f"{call}-u",
            "message": {"role": "user", "content": said},
        },
        {**common, "type": "assistant", "uuid": f"{call}-a", "message": answer},
        {
            **common,
            "type": "user",
            "uuid": f"{call}-r",
            "message": {"role": "user", "content": result},
        },
    ]


def _codex(ident: str, turn: int, stamp: str, said: str, shown: str) -> list[dict[str, object]]:
    def item(kind: str, **payload: object) -> dict[str, object]:
        return {"timestamp": stamp, "type": kind, "payload": payload}

    call = f"call_{ident[:8]}_{turn}"
    text = [{"type": "input_text", "text": said}]
    first = [item("session_meta", id=ident, timestamp=stamp, cwd="/home/ann/p")] if not turn else []
    return [
        *first,
        item("response_item", type="message", role="user", content=text),
        item("event_msg", type="user_message", message=said),
        item("response_item", type="function_call", name="shell", arguments='{"command":["ls"]}', call_id=call),
        item("response_item", type="function_call_output", call_id=call, output=shown),
        item("event_msg", type="agent_message", message=said),
        item("response_item", type="message", role="assistant", content=[{"type": "output_text", "text": said}]),
    ]  # fmt: skip


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def memory_mb(pid: int) -> float:
    """Proportional memory of a process tree: what is shared counts once."""
    total = 0
    for process in tree(pid):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def watched(process: subprocess.Popen[bytes], run: Run) -> threading.Thread:
    """Note the most memory a process tree has, until it ends."""

    def look() -> None:
        while process.poll() is None:
            run.peak_mb = max(run.peak_mb, memory_mb(process.pid))
            time.sleep(0.05)

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def environment(home: Path, scratch: Path) -> dict[str, str]:
    """What a program begins with; both may keep their modules compiled, as installed ones are."""
    ours = ("XDG_", "SPARROW", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(scratch / "cache"),
                   "XDG_CONFIG_HOME": str(scratch / "config"), "XDG_DATA_HOME": str(scratch / "data"),
                   "XDG_STATE_HOME": str(scratch / "state"), "PYTHONPATH": str(ROOT)}  # fmt: skip


def adopt() -> None:
    """Let processes whose parent ended before them be ours, so that their time is counted."""
    set_child_subreaper = 36  # prctl(2), of Linux
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def processor() -> float:
    """Seconds that processes begun here, and ended, have kept processors busy."""
    end = time.monotonic() + 2  # some outlive what began them for a moment
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
    times = os.times()
    return times.children_user + times.children_system


def ours(home: Path, scratch: Path) -> Run:
    """One pass of our sync process; its marks are read off its own reports."""
    run, before = Run(), processor()
    store = scratch / "archive.db"
    command = [sys.executable, "-m", "sparrow_tui.sync", "--store", str(store), "--once"]
    begun = time.monotonic()
    process = subprocess.Popen(
        command, env=environment(home, scratch), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    watcher = watched(process, run)
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        taken = time.monotonic() - begun
        if told.get("sessions"):
            run.marks.setdefault("first rows", taken)
        if told.get("of_glanced") and told["phase"] in ("reading", "indexing"):
            run.marks.setdefault("conversation", taken)  # all new sources were glanced at
        if told["phase"] == "indexing":
            run.marks.setdefault("conversation", taken)
    process.wait()
    run.marks["everything"] = time.monotonic() - begun
    watcher.join()
    run.cpu = processor() - before
    run.marks.setdefault("conversation", run.marks["everything"])
    return run


def theirs(program: str, home: Path, scratch: Path) -> Run:
    """One refresh of fast-resume, through its JSON output."""
    run, before = Run(), processor()
    begun = time.monotonic()
    process = subprocess.Popen(
        [program, "--json", "zzqxv"], env=environment(home, scratch),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    watcher = watched(process, run)
    process.wait()
    run.marks["everything"] = time.monotonic() - begun
    watcher.join()
    run.cpu = processor() - before
    return run


def touch_one(home: Path) -> None:
    """Append a prompt to the newest Claude Code session."""
    newest = max(
        (home / ".claude/projects").rglob("*.jsonl"), key=lambda path: path.stat().st_mtime
    )
    line = json.loads(newest.read_text().splitlines()[-1]) | {"uuid": os.urandom(8).hex()}
    line |= {"type": "user", "message": {"role": "user", "content": "one more thing"}}
    with newest.open("a") as file:
        file.write(json.dumps(line) + "\n")


def size_of(*paths: Path) -> int:
    return sum(
        file.stat().st_size
        for path in paths
        for file in ([path] if path.is_file() else path.rglob("*"))
        if file.is_file()
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--home", type=Path, help="a home with agents' sessions; it is only read")
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    program = shutil.which("fr", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    rows: dict[str, list[tuple[float, float | None]]] = {}
    adopt()
    compileall.compile_dir(ROOT / "sparrow_tui", quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory(prefix="sparrow-bench-") as folder:
        home = options.home or Path(folder) / "home"
        if options.home is None:
            invent_home(home, options.sessions)
        for number in range(options.rounds):
            scratch = Path(folder) / f"round{number}"
            scratch.mkdir()
            fr = theirs(program, home, scratch) if program else None
            us = ours(home, scratch)
            cold = fr.marks["everything"] if fr else None
            for name, taken in us.marks.items():
                rows.setdefault(f"cold: {name} (s)", []).append((taken, cold))
            rows.setdefault("cold: processor (s)", []).append((us.cpu, fr.cpu if fr else None))
            rows.setdefault("cold: peak memory (MB)", []).append(
                (us.peak_mb, fr.peak_mb if fr else None)
            )
            again = theirs(program, home, scratch).marks["everything"] if program else None
            rows.setdefault("nothing changed (s)", []).append(
                (ours(home, scratch).marks["everything"], again)
            )
            if options.home is None:
                touch_one(home)
                again = theirs(program, home, scratch).marks["everything"] if program else None
                rows.setdefault("one line appended (s)", []).append(
                    (ours(home, scratch).marks["everything"], again)
                )
            stored = size_of(scratch / "archive.db")
        sources = size_of(*(home / n for n in (".claude", ".codex") if (home / n).exists()))
    print(f"{'':28} {'ours':>9} {'fast-resume':>12} {'ratio':>7}")
    for name, pairs in rows.items():
        mine = statistics.median(pair[0] for pair in pairs)
        others = [pair[1] for pair in pairs if pair[1] is not None]
        other = statistics.median(others) if others else None
        end = f"{other:12.2f} {mine / other:7.2f}" if other else ""
        print(f"{name:28} {mine:9.2f} {end}")
    print(f"sources {sources / 1e6:.0f} MB, store {stored / 1e6:.0f} MB: {stored / sources:.2f}")


if __name__ == "__main__":
    main()
