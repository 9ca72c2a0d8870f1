"""Whatever text is stored: it comes back, windows of it agree, and its words are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparrow_tui.model import Raw, Reasoning, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import storable
from sparrow_tui.store import open_store
from sparrow_tui.store.sqlite import SqliteStore

SCRIPTS = (
    "\x00\x1b\x7f\x9b\u200b\u202e\u2028\ufeff\ufffd\ud83d\udc00 \t\r\n",
    "今日は東京の天気です한국어로검색在使用缓存",
    "שלום עולם مرحبا بالعالم हिन्दी भाषा ไทย",
    "👩‍👩‍👧🚀🇩🇪é̂ß İıﬁ",
    "getUserById max_retry-count src/auth/jwt.rs C++ 0.5.1 \"'%*()^:{}",
)
PIECE = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    *(st.text(st.sampled_from(script), max_size=40) for script in SCRIPTS),
)
TEXT = st.one_of(
    PIECE,
    st.lists(PIECE, max_size=6).map(" ".join),
    st.builds(lambda piece, times: piece * times, PIECE, st.integers(100, 4000)),
)
TURN = st.builds(
    lambda role, text, kind: Turn(role=role, blocks=[_block(kind, text)]),
    st.sampled_from(["user", "assistant", "tool", "system"]),
    TEXT,
    st.integers(0, 4),
)


def _block(kind: int, text: str) -> Text | Reasoning | ToolUse | ToolResult | Raw:
    return (
        Text(text), Reasoning(text), ToolUse(f"c{text[:9]}", text[:40], {text[:40]: text}),
        ToolResult(text[:9], [Text(text)]), Raw(text[:40], [text, None]),
    )[kind]  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an archive of each engine is; one for all examples, since sessions come and go."""
    return tmp_path_factory.mktemp(request.param) / "archive.db"


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.lists(TURN, max_size=5), more=st.lists(TURN, max_size=4), name=PIECE)
@example(first=[Turn(role="user", blocks=[Text("\x00")])], more=[], name="\ud800")
def test_any_text_comes_back(engine: Path, first: list[Turn], more: list[Turn], name: str) -> None:
    store = open_store(str(engine))
    try:
        store.save("demo:any", first, name=name)
        assert store.append("demo:any", more) == len(first) + len(more)
        held = list(store.turns("demo:any"))
        assert len(held) == len(first) + len(more)
        for turn, original in zip(held, [*first, *more], strict=True):
            assert turn.role == original.role
            for block, meant in zip(turn.blocks, original.blocks, strict=True):
                if isinstance(meant, Text | Reasoning):
                    assert isinstance(block, type(meant))
                    assert storable(block.text) == storable(meant.text)
        assert list(store.window("demo:any", 0, len(held))) == held
        assert [mark.role for mark in store.marks("demo:any")] == [turn.role for turn in held]
        for around in (-1, 0, len(held) // 2, len(held) + 3):
            window = store.scroll("demo:any", around, 1, 1)
            assert window is not None
            assert window.turns == held[window.start : window.start + len(window.turns)]
        session = store.load("demo:any")
        assert session is not None
        assert session.turns == len(held)
        assert [found.id for found in store.list()] == ["demo:any"]
        store.recent_inputs()
    finally:
        store.delete("demo:any")
        store.close()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(turns=st.lists(TURN, min_size=1, max_size=4), noise=TEXT, data=st.data())
def test_any_word_that_was_said_is_found(
    engine: Path, turns: list[Turn], noise: str, data: st.DataObject
) -> None:
    store = open_store(str(engine))
    try:
        store.save("demo:any", turns)
        store.save("demo:other", [Turn(role="user", blocks=[Text(noise)])])
        said = [b.text for turn in turns for b in turn.blocks if isinstance(b, Text | Reasoning)]
        words = [
            word for text in said for word in text.split() if word.isalnum() and len(word) < 40
        ]
        if words:
            word = data.draw(st.sampled_from(words))
            page = store.search(word)
            assert "demo:any" in {hit.session for hit in page.hits}, ascii(word)
            _consistent(store, word)
        _consistent(store, data.draw(TEXT))
    finally:
        store.delete("demo:any")
        store.delete("demo:other")
        store.close()


def _consistent(store: SqliteStore, query: str) -> None:
    """A page does not fail, and its spans lie in its snippets."""
    page = store.search(query)
    assert page.total >= len(page.hits)
    for hit in page.hits:
        assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.spans)
        assert "\x1b" not in hit.snippet
