"""Every agent is complete: fixture and test, name and colour, docs row, resume command or reason."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NoReturn

import pytest

from sparrow_tui.agents import registry
from sparrow_tui.agents.base import Agent, Batch, Checkpoint, Place, Source
from sparrow_tui.agents.registry import MODULES
from sparrow_tui.model import SessionInfo

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
SHARED_TESTS = {"chatgpt": "exports", "claude_ai": "exports", "opencode_go": "crush"}
"""Modules whose fixtures stand in the test of a sibling."""
GENUINE = re.compile(r"read_all|Reading\(\)|\.read\(")


def of_module(module: str) -> tuple[Agent, ...]:
    loaded = importlib.import_module(f"sparrow_tui.agents.{module}")
    return tuple(getattr(loaded, "AGENTS", None) or (loaded.AGENT,))


def every() -> list[tuple[str, Agent]]:
    return [(module, agent) for module in MODULES for agent in of_module(module)]


AGENTS = pytest.mark.parametrize(
    ("module", "agent"), every(), ids=[agent.name for _, agent in every()]
)


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    registry.agents.cache_clear()
    yield
    registry.agents.cache_clear()


def test_each_has_its_own_name_and_look() -> None:
    agents = [agent for _, agent in every()]
    for key in ("name", "label"):
        values = [getattr(agent, key) for agent in agents]
        assert len(set(values)) == len(values)
    looks = [(agent.glyph, agent.color) for agent in agents]
    assert len(set(looks)) == len(looks)
    assert list(registry.agents())[: len(agents)] == [agent.name for agent in agents]
    assert all(registry.agent(agent.name) is agent for agent in agents)
    assert registry.agent("nobody") is None


def test_modules_are_said_to_hold_the_agents_they_do() -> None:
    for module, names in MODULES.items():
        assert tuple(agent.name for agent in of_module(module)) == names


@AGENTS
def test_name_label_colour(module: str, agent: Agent) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", agent.name)
    assert agent.label.strip() == agent.label != ""
    assert len(agent.glyph) == 1
    assert agent.glyph.isprintable()
    assert re.fullmatch(r"#[0-9a-f]{6}", agent.color)


@AGENTS
def test_what_may_not_be_looked_at_is_passed_over(
    module: str, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: object, *args: object, **more: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    place = Place(tmp_path, {}, "linux")
    for root in agent.roots(place):
        root.mkdir(parents=True, exist_ok=True)
    for name in ("stat", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, refused)
    assert list(agent.sources(place)) == []
    agent.retention_days(place)


@AGENTS
def test_a_test_reads_a_fixture_of_it(module: str, agent: Agent) -> None:
    test = HERE / f"test_{SHARED_TESTS.get(module, module)}.py"
    assert test.is_file(), f"tests/agents/{test.name} is missing"
    text = test.read_text(encoding="utf-8")
    assert f"sparrow_tui.agents.{module} import" in text or (
        re.search(rf"from sparrow_tui\.agents import .*\b{module}\b", text)
    ), f"{test.name} does not test {module}"
    assert GENUINE.search(text), f"{test.name} reads nothing"


def docs_rows() -> dict[str, list[str]]:
    """The rows of the README's table of agents: first cell to all cells."""
    text = README.read_text(encoding="utf-8")
    _, heading, section = text.partition("\n## Agents\n")
    assert heading, "the README has no section 'Agents'"
    section = section.partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return {row[0]: row for row in rows[2:]}


@AGENTS
def test_docs_row(module: str, agent: Agent) -> None:
    rows = docs_rows()
    longer = [row for name, row in rows.items() if name.startswith(f"{agent.label} (")]
    row = rows.get(agent.label) or (longer[0] if longer else None)
    assert row, f"the README's table of agents has no row for {agent.label}"
    assert len(row) == 4
    assert all(row), f"an empty cell in the row of {agent.label}"
    resumes = type(agent).resume is not Agent.resume
    assert row[2].startswith("yes") or not resumes or agent.no_resume, row
    assert row[2].startswith("no") or resumes, row
    assert row[3].startswith("yes") == agent.restorable, row


@AGENTS
def test_resume_command_or_reason(module: str, agent: Agent) -> None:
    resumes = type(agent).resume is not Agent.resume
    assert resumes or len(agent.no_resume) > 20, "neither a resume command nor a reason"
    if not resumes:
        assert agent.resume(SessionInfo(id=f"{agent.name}:x")) is None
        return
    native = "0a1b2c3d-1111-4222-8333-444455556666"
    info = SessionInfo(id=f"{agent.name}:{native}", project="/w/pond")
    resume = agent.resume(info)
    if resume is None:
        assert agent.no_resume, "a session that cannot be resumed, without a reason"
    else:
        assert all(isinstance(word, str) and word for word in resume.argv)
        assert any(native in word for word in resume.argv)


@AGENTS
def test_an_empty_home_has_nothing_of_it(module: str, agent: Agent, tmp_path: Path) -> None:
    for platform in ("linux", "darwin", "win32"):
        place = Place(tmp_path, {}, platform)
        assert list(agent.sources(place)) == []
        for root in agent.roots(place):
            assert root.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@AGENTS
@pytest.mark.parametrize("head", [b"", b"\x00\xff", b"{", b"[1,2", b'{"a": 1}\n', b"# hello\n"])
def test_no_other_file_is_claimed(module: str, agent: Agent, tmp_path: Path, head: bytes) -> None:
    for name in ("package.json", "notes.jsonl", "data.db", "README.md"):
        path = tmp_path / name
        path.write_bytes(head)
        assert agent.sniff(path, head) is False
    assert agent.source_at(tmp_path / "gone.tmp") is None


class Heron(Agent):
    """An agent of another package."""

    name = "heron"
    label = "Heron"
    no_resume = "a heron does not come back"

    def roots(self, place: Place) -> list[Path]:
        return []

    def sources(self, place: Place) -> Iterator[Source]:
        yield from ()

    def sniff(self, path: Path, head: bytes) -> bool:
        return head.startswith(b"HERON")

    def source_at(self, path: Path) -> Source | None:
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        yield from ()


class Impostor(Heron):
    name = "claude"


HERON, IMPOSTOR, NOT_AN_AGENT = Heron(), Impostor(), object()


def offer(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    points = [EntryPoint(name, f"{__name__}:{name}", "sparrow_tui.agents") for name in names]
    asked: list[str] = []

    def entry_points(*, group: str) -> list[EntryPoint]:
        asked.append(group)
        return points

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    registry.agents.cache_clear()
    registry.agents()
    assert asked == ["sparrow_tui.agents"]


def test_another_package_adds_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "HERON")
    assert registry.agent("heron") is HERON
    assert len(registry.agents()) == len(every()) + 1


def test_a_faulty_package_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "MISSING", "NOT_AN_AGENT", "IMPOSTOR", "HERON")
    assert registry.agent("heron") is HERON
    assert registry.agent("claude") is not IMPOSTOR
    assert len(registry.agents()) == len(every()) + 1


def test_loading_every_agent_needs_no_screen() -> None:
    code = (
        "import sys; from sparrow_tui.agents.registry import agents; agents();"
        "assert not {'textual', 'rich'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
