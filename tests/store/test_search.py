"""What a search finds, in which order, and what it costs: counted, not timed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparrow_tui import tokens
from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn
from sparrow_tui.query import parse
from sparrow_tui.store import docid, index, open_store
from sparrow_tui.store.base import Interrupted
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.ranking import Results
from sparrow_tui.store.snippets import snippet
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.stream import Chunks, Stream

START = 1_700_000_000_000
MINUTE = 60_000
DAY = 86_400_000


def said(text: str, role: str = "user", time: int | None = START) -> Turn:
    return Turn(role=role, blocks=[Text(text)], time=time)


def put(store: SqliteStore, ident: str, *turns: Turn, **facts: object) -> None:
    info = SessionInfo(id=ident, **facts)  # type: ignore[arg-type]
    store.write([Prepared(session=info, rows=rows(list(turns)))])


def stages(store: SqliteStore, text: str) -> list[tuple[Results, list[str]]]:
    found = []
    for results in store.searcher.stages(parse(text)):
        rows = store.searcher.details(results.sids, results.query, results)
        found.append((results, [row.session.id for row in rows]))
    return found


def ids(store: SqliteStore, text: str) -> list[str]:
    """Sessions of the last stage, and of the page, which must agree."""
    *_, (_, found) = stages(store, text)
    page = store.search(text, limit=10_000)
    turns = {hit.session for hit in page.hits}
    assert turns <= set(found)
    return found


IDENTIFIERS = [
    ("getUserById", ["getuserbyid", "getuser", "user", "userById", "byid", "id", "getUserById"]),
    ("_parseHTTPHeader2", ["parse", "http", "header", "httph", "_parseHTTPHeader2"]),
    ("my_getUser", ["getuser", "user", "my_get", "my_getUser"]),
    ("max_retry_count", ["retry", "max_re", "max_retry_count", "retry_c", "count"]),
    ("src/auth/jwt.rs", ["jwt", "auth/jwt", "jwt.rs", "src/auth/jwt.rs", "src", "auth/jwt.r"]),
    ("phoenix-context", ["phoenix-context", "context", "phoenix-c"]),
    ("std::vec::Vec", ["vec::vec", "std::v", "std::vec::Vec"]),
    ("0.5.1", ["0.5.1", "0.5", "5.1"]),
    ("C:\\Users\\me", ["users\\me", "c:\\us"]),
    ("user@host.example", ["host.ex", "user@host"]),
    ("x->y", ["x->y"]),
    ("f(arg,", ["f(arg", "arg"]),
    ("{'key':'value'}", ["key", "value", "'key':'value'"]),
]


@pytest.mark.parametrize(("word", "queries"), IDENTIFIERS)
def test_identifiers_by_whole_parts_and_prefixes(
    store: SqliteStore, word: str, queries: list[str]
) -> None:
    put(store, "demo:1", said(f"here {word} stands"))
    put(store, "demo:2", said("nothing of the kind"))
    for query in queries:
        assert ids(store, query) == ["demo:1"], query


SCRIPTS = [
    ("今日は東京の天気です", "東京の天"),
    ("今日は東京の天気です", "です"),
    ("在使用redis缓存数据", "redis缓存"),
    ("在使用redis缓存数据", "使用redis"),
    ("한국어로 검색합니다", "국어로"),
    ("你好 世界", '"你好 世界"'),
    ("Ça naïve CAFÉ", "cafe ca naive"),
    ("cafe\u0301 decomposed", "café"),
    ("die Straße", "strasse"),
    ("die Strasse", "straße"),
    ("ΟΔΟΣ", "οδος"),
    ("İstanbul", "istanbul"),
    ("हिन्दी भाषा", "हिन्दी"),
    ("ﬁnal ＡＢＣ", "final abc"),
    ("don’t do", "don't"),
    ("100% sure", "100%"),
    ("a C++ and a c# thing", "C++ C#"),
    ("it is 🚀launch", "🚀 launch"),
    ("done ✓", "✓"),
]


@pytest.mark.parametrize(("text", "query"), SCRIPTS)
def test_scripts_and_signs(store: SqliteStore, text: str, query: str) -> None:
    put(store, "demo:1", said(text))
    put(store, "demo:2", said("c c sure 100 launch"))
    assert ids(store, query) == ["demo:1"]


def test_phrases_are_in_a_row(store: SqliteStore) -> None:
    put(store, "demo:1", said("the lazy dog jumps"))
    put(store, "demo:2", said("the dog is lazy"))
    assert ids(store, '"lazy dog"') == ["demo:1"]
    assert ids(store, '"lazy do"') == []
    assert ids(store, "lazy dog -jumps") == ["demo:2"]
    assert ids(store, 'dog -"lazy dog"') == ["demo:2"]
    assert sorted(ids(store, "jumps OR is")) == ["demo:1", "demo:2"]
    assert ids(store, '"lazy dog" OR nowhere') == ["demo:1"]


def test_facets(store: SqliteStore) -> None:
    tool = Turn(role="assistant", blocks=[ToolUse("c", "Bash", {"file_path": "src/jwt.rs"})])
    result = Turn(role="tool", blocks=[ToolResult("c", [Text("needle broke")], is_error=True)])
    put(store, "claude:1", said("needle"), tool, result, project="/home/me/my app", branch="main")
    put(store, "codex:2", said("needle", time=START + 30 * DAY), said("needle", "assistant"),
        project="/srv/other", model="gpt-5", parent="claude:1")  # fmt: skip
    for query, expected in {
        "agent:claude": ["claude:1"],
        "-agent:claude": ["codex:2"],
        "needle agent:codex": ["codex:2"],
        'needle project:"my app"': ["claude:1"],
        "needle -project:app": ["codex:2"],
        "branch:main needle": ["claude:1"],
        "model:gpt": ["codex:2"],
        "needle role:tool": ["claude:1"],
        "needle role:assistant": ["codex:2"],
        "tool:bash": ["claude:1"],
        "-tool:bash needle agent:claude": ["claude:1"],
        "file:jwt.rs": ["claude:1"],
        "file:src/jwt": ["claude:1"],
        "file:other.rs": [],
        "is:error": ["claude:1"],
        "needle is:subagent": ["codex:2"],
        "needle -is:subagent": ["claude:1"],
        "turns:>2": ["claude:1"],
        "needle turns:<3": ["codex:2"],
        "needle after:2023-12-01": ["codex:2"],
        "needle before:2023-12-01": ["codex:2", "claude:1"],
        "role:user before:2023-12-01": ["claude:1"],
        "needle agent:": ["codex:2", "claude:1"],
        "needle agent:nobody": ["codex:2", "claude:1"],
        "needle agent:codex project:app": [],
    }.items():
        assert sorted(ids(store, query)) == sorted(expected), query


def test_hidden_sessions_stay_out_unless_asked_for(store: SqliteStore) -> None:
    put(store, "demo:1", said("needle"))
    put(store, "demo:2", said("needle"))
    with store.transaction():
        store.organiser.hide("demo:2", True)
    assert ids(store, "needle") == ["demo:1"]
    assert ids(store, "needle is:hidden") == ["demo:2"]
    assert ids(store, "turns:>0") == ["demo:1"]


def test_dates_hold_to_the_second(store: SqliteStore) -> None:
    """Row ids tell times roughly; what lies near a limit is looked up."""
    midnight = 1_704_067_200_000  # 2024-01-01 UTC
    turns = [said("needle", time=midnight + n * MINUTE) for n in (-2, -1, 0, 1)]
    put(store, "demo:1", *turns)
    found = {
        query: sorted(hit.turn for hit in store.search(query).hits)
        for query in ("needle after:2024-01-01", "needle before:2024-01-01")
    }
    assert list(found.values()) == [[2, 3], [0, 1]]


def test_sorting(store: SqliteStore) -> None:
    for number, turns in ((1, 3), (2, 1), (3, 2)):
        put(store, f"demo:{number}", *[said("needle", time=START + number * DAY)] * turns)
    assert ids(store, "needle sort:old") == ["demo:1", "demo:2", "demo:3"]
    assert ids(store, "needle sort:new") == ["demo:3", "demo:2", "demo:1"]
    assert ids(store, "needle sort:long") == ["demo:1", "demo:3", "demo:2"]
    assert ids(store, "agent:demo sort:long") == ["demo:1", "demo:3", "demo:2"]


def test_a_page_keeps_the_order_that_is_asked_for(store: SqliteStore) -> None:
    for number, turns in ((1, 3), (2, 1), (3, 2)):
        put(store, f"demo:{number}", *[said("needle", time=START + number * DAY)] * turns)
    for sort, expected in {"old": [1, 2, 3], "long": [1, 3, 2]}.items():
        for words in ("needle", "", "agent:demo"):
            page = store.search(f"{words} sort:{sort}")
            assert [hit.session for hit in page.hits] == [f"demo:{n}" for n in expected]
        assert len(store.search(f"needle sort:{sort}", limit=2).hits) == 2
    put(store, "demo:4", said("the needle broke", time=START))
    assert store.search("needle broke sort:best").hits[0].session == "demo:4"
    assert store.search("neelde broke sort:old").problems == ["showing needle for neelde"]


def test_sessions_are_found_by_what_they_are_called(store: SqliteStore) -> None:
    put(store, "demo:1", said("needle"), title="The harbour wall")
    put(store, "demo:2", said("the harbour", time=START + DAY), said("harbour", time=START + DAY))
    put(store, "demo:3", said("thread", time=START + 2 * DAY))
    with store.transaction():
        store.organiser.rename("demo:3", "harbour lights")
    page = store.search("harbour")
    assert [(hit.session, hit.turn) for hit in page.hits] == [
        ("demo:3", -1), ("demo:2", 1), ("demo:2", 0), ("demo:1", -1),
    ]  # fmt: skip
    assert (page.total, page.complete) == (4, True)
    seen, before = [], None
    for _ in range(4):
        page = store.search("harbour", limit=1, before=before)
        seen += [(hit.session, hit.turn) for hit in page.hits]
        assert page.total == 4
        before = page.next_docid
    assert seen == [("demo:3", -1), ("demo:2", 1), ("demo:2", 0), ("demo:1", -1)]
    assert before is None
    assert [hit.session for hit in store.search("lights").hits] == ["demo:3"]
    assert store.search("harbour -lights").total == 2, "a title alone cannot tell what is not there"


def test_an_agents_whole_name_means_that_agent(store: SqliteStore) -> None:
    put(store, "claude:1", said("needle"))
    put(store, "claude_ai:2", said("needle"))
    assert ids(store, "agent:claude") == ["claude:1"]
    assert ids(store, "needle agent:CLAUDE") == ["claude:1"]
    assert ids(store, "needle -agent:claude") == ["claude_ai:2"]
    assert sorted(ids(store, "needle agent:clau")) == ["claude:1", "claude_ai:2"]


UNKNOWN = {
    "agent:clade": "no agent here is called clade, perhaps claude is meant",
    "project:sparow": "no project here is called sparow, perhaps sparrow is meant",
    "-tool:bsah": "no tool here is called bsah, perhaps Bash is meant",
    "tag:urgnet": "no tag here is called urgnet, perhaps urgent is meant",
    "model:zzzzzz": "no model here is called zzzzzz",
}


@pytest.mark.parametrize(("facet", "sentence"), UNKNOWN.items())
def test_values_nothing_has_are_said_and_left_out(
    store: SqliteStore, facet: str, sentence: str
) -> None:
    tool = Turn(role="assistant", blocks=[ToolUse("c", "Bash", {})], model="opus")
    put(store, "claude:1", said("needle"), tool, project="/home/me/sparrow", model="opus")
    with store.transaction():
        store.organiser.tag("claude:1", ["urgent"])
    text = f"needle {facet}"
    page = store.search(text)
    assert page.problems == [sentence]
    assert [hit.session for hit in page.hits] == ["claude:1"]
    for results, found in stages(store, text):
        assert found == ["claude:1"]
        assert [text[p.start : p.end] for p in results.query.problems] == [facet]
    assert store.search("neelde " + facet).problems == [sentence, "showing needle for neelde"]
    assert store.search(facet).hits == []


def test_mistyped_words_are_searched_as_the_nearest(store: SqliteStore) -> None:
    put(store, "demo:1", said("the migration ran"))
    put(store, "demo:2", said("migrations and immigration"), said("migration", "assistant"))
    first, *_, (last, found) = stages(store, "the migraton")
    assert first[1] == []
    assert last.notice == "showing migration for migraton"
    assert found == ["demo:1"]
    assert "showing migration for migraton" in store.search("migraton").problems
    assert stages(store, "qqqqqqqq")[-1][0].notice == ""
    assert store.searcher._vocabulary.nearest("nigration")[0] == "migration"


def test_a_title_or_prompt_with_the_phrase_comes_first(store: SqliteStore) -> None:
    put(store, "demo:old", said("please fix the flaky gateway test now", time=START - 900 * DAY))
    for number in range(60):
        noise = "gateway test flaky fix the " * 5
        turns = [said(noise, "assistant", START + n * MINUTE) for n in range(20)]
        put(store, f"demo:{number}", *turns)
    _, (ranked, found), *rest = stages(store, "fix the flaky gateway te")
    assert found[0] == "demo:old"
    assert len([(ranked, found), *rest][-1][1]) == 61
    best = store.searcher.details(ranked.sids[:1], ranked.query, ranked)[0].best
    assert best is not None
    assert best.role == "user"
    put(store, "demo:named", said("x", "assistant", START - 800 * DAY), title="Odd gateway name")
    assert stages(store, "odd gateway")[1][1][0] == "demo:named"


def test_identifiers_do_not_break_a_phrase(store: SqliteStore) -> None:
    prompt = "rename getUserById in src/auth/jwt.rs of v5.19.9 to naïveUser now"
    put(store, "demo:old", said(f"please {prompt}", time=START - 900 * DAY))
    shuffled = " ".join(reversed(prompt.split()))
    for number in range(60):
        put(store, f"demo:{number}", said(shuffled, time=START + number * MINUTE))
    for phrase in (prompt, prompt.removesuffix(" now"), "in src/auth/jwt.rs of v5.19.9 to"):
        assert stages(store, phrase)[1][1][0] == "demo:old"


def test_later_stages_only_add(store: SqliteStore) -> None:
    for number in range(300):
        put(store, f"demo:{number}", said("needle", time=START + number * DAY))
    (first, shown), (_, ranked), (last, all_of_them) = stages(store, "needle")
    assert not first.complete
    assert last.complete
    assert last.hits == 300
    assert set(shown) <= set(ranked) <= set(all_of_them)
    assert len(all_of_them) == 300


def test_hits_of_a_session_in_order(store: SqliteStore) -> None:
    put(store, "demo:1", *[said(f"turn {n} {'needle' if n % 3 == 0 else ''}") for n in range(200)])
    put(store, "demo:2", said("needle"))
    session = store.load("demo:1")
    assert session is not None
    assert store.searcher.hits_in_session(parse("needle"), session.sid) == [*range(0, 200, 3)]


# Row ids


def test_row_ids_are_dense_in_a_session_and_sort_by_time(store: SqliteStore) -> None:
    for hour in (5, 1, 3):
        put(
            store,
            f"demo:{hour}",
            *[said("x", time=START + hour * 60 * MINUTE + n) for n in range(70)],
        )
    taken = store.connection.execute("SELECT docid, time FROM turn ORDER BY docid").fetchall()
    assert [time for _, time in taken] == sorted(time for _, time in taken)
    for _, chunk in zip(range(6), store.connection.execute("SELECT no FROM chunk"), strict=True):
        inside = [at for at, _ in taken if docid.chunk_of(at) == chunk[0]]
        assert inside == [docid.first_of(chunk[0]) + n for n in range(len(inside))]


def test_thousands_of_sessions_of_one_moment(store: SqliteStore) -> None:
    items = [
        Prepared(session=SessionInfo(id=f"demo:{n}"), rows=rows([said(f"n{n}")]))
        for n in range(1500)
    ]
    store.write(items)
    assert store.connection.execute("SELECT count(DISTINCT docid >> 6) FROM turn").get == 1500
    assert ids(store, "n1499") == ["demo:1499"]


def test_chunks_go_with_their_turns(store: SqliteStore) -> None:
    for size in (500, 10, 200):
        store.save("demo:1", [said(f"{size} {n}") for n in range(size)])
        chunks = store.connection.execute("SELECT no FROM chunk").fetchall()
        held = store.connection.execute("SELECT DISTINCT docid >> 6 FROM turn").fetchall()
        assert sorted(chunks) == sorted(held)
    store.delete("demo:1")
    assert store.connection.execute("SELECT count(*) FROM chunk").get == 0


# Anything at all

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"])
    | st.sampled_from("abcXYZ019_-./ß今日é한️🚀é"),
    max_size=40,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(WORDS, min_size=1, max_size=4), query=WORDS)
def test_every_word_and_prefix_finds_its_turn(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], query: str
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("s") / "s.db"))
    try:
        store.save("demo:1", [said(text) for text in texts])
        store.search(query)
        list(store.searcher.stages(parse(query)))
        for text in texts:
            for word in re.findall(r"[^\W_]+", text):
                for typed in {word, word[: max(1, len(word) // 2)]}:
                    if tokens.phrases(typed) and typed not in ("OR", "AND"):
                        assert store.search(typed).hits, (word, typed)
    finally:
        store.close()


@settings(max_examples=80, deadline=None)
@given(text=WORDS, query=WORDS)
@example(text="Æ", query="A")
def test_highlights_of_snippets_lie_inside_and_mean_the_query(text: str, query: str) -> None:
    asked = parse(query)
    line, spans = snippet(f"some words before {text} and after", asked)
    for start, end in spans:
        assert 0 <= start < end <= len(line)
        before, last = (
            re.sub(r"[\W_]", "", tokens.fold(part))
            for part in (line[start : end - 1], line[end - 1 : end])
        )
        whole = re.sub(r"[\W_]", "", tokens.fold(query))
        # Of a character that means several, like æ, the query may end inside.
        assert before + last[:1] in whole, (line[start:end], query)


def test_accents_of_nothing_are_no_word(store: SqliteStore) -> None:
    put(store, "demo:1", said("\u0302" * 9), said("rôle"))
    for typed in ("\u0302", "\u0302" * 1_900, '"\u0302\u0301"'):
        assert not store.search(typed).hits
        assert len(store.search(f"{typed} role").hits) == 1


@pytest.mark.parametrize(
    "query", ["x" * 10_000, "a b " * 2_000, "a.b-" * 2_500, '"' + "q " * 3_000, "今" * 3_000]
)
def test_long_queries(store: SqliteStore, query: str) -> None:
    put(store, "demo:1", said("a b x"))
    store.search(query)
    stages(store, query)


# What it costs


@pytest.fixture
def parts(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    """A store with 20 parts of 100 turns, every turn with a common word, one with a rare one."""
    monkeypatch.setattr(index, "PART_ROWS", 100)
    for day in range(20):
        turns = [said(f"common word{n}", "assistant", START + day * DAY + n) for n in range(100)]
        put(store, f"demo:{day}", *turns)
    put(store, "demo:rare", said("common rarest", "assistant", START - DAY))
    return store


def stream(store: SqliteStore, text: str) -> Stream:
    steps = store.searcher._plan(parse(text))
    return Stream(store.connection, steps, Chunks(store.connection))


def test_a_common_word_opens_only_the_newest_parts(parts: SqliteStore) -> None:
    asked = stream(parts, "common")
    found = iter(asked)
    newest = [next(found) for _ in range(50)]
    assert newest == sorted(newest, reverse=True)
    assert asked.opened <= 2
    assert asked.seen <= 200
    rest = list(found)
    assert asked.opened == 21
    assert asked.complete
    assert [*newest, *rest] == sorted([*newest, *rest], reverse=True)
    assert len(newest) + len(rest) == 2001


def test_a_rare_word_costs_one_look_a_part_and_no_text(parts: SqliteStore) -> None:
    asked = stream(parts, "rarest")
    assert len(list(asked)) == 1
    assert (asked.opened, asked.seen, asked.read) == (21, 1, 0)


def test_texts_are_read_only_where_the_index_cannot_tell(parts: SqliteStore) -> None:
    for query, most in {"common": 0, "common -rarest": 0, '"common rarest"': 1, "c+x": 0}.items():
        asked = stream(parts, query)
        list(asked)
        assert asked.read <= most, query


def test_the_first_stage_is_bounded_in_one_huge_session(store: SqliteStore) -> None:
    put(store, "demo:1", *[said("needle", "assistant", START + n) for n in range(6_000)])
    first = next(store.searcher.stages(parse("needle")))
    assert first.hits < 3_000
    assert stages(store, "needle")[-1][0].hits == 6_000


def test_facets_alone_do_not_touch_the_index(parts: SqliteStore) -> None:
    statements: list[str] = []
    parts.connection.set_exec_trace(lambda _, sql, __: statements.append(sql) or True)
    assert len(ids(parts, "agent:demo")) == 21
    assert not [sql for sql in statements if "MATCH" in sql]


# Beside others


def test_searching_while_another_process_writes(store: SqliteStore, location: str) -> None:
    put(store, "demo:0", said("needle"))
    code = (
        "import sys\n"
        "from sparrow_tui.store import open_store\n"
        "from sparrow_tui.model import Text, Turn\n"
        "store = open_store(sys.argv[1])\n"
        "for n in range(200):\n"
        "    store.append(f'demo:{n % 20}', [Turn(role='user', blocks=[Text(f'needle {n}')])])\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, location])
    reader = open_store(location, readonly=True)
    seen = [0]
    chance = random.Random(1)
    try:
        while writer.poll() is None:
            query = "needle"[: chance.randint(1, 6)]
            for results in reader.searcher.stages(parse(query)):
                reader.searcher.details(results.sids, results.query, results)
            seen.append(reader.search("needle").total)
    finally:
        writer.wait()
        reader.close()
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert store.search("needle", limit=500).total == 201


def test_a_running_search_can_be_cut_short(store: SqliteStore) -> None:
    put(store, "demo:1", *[said(f"needle {n}") for n in range(3_000)])
    cut = threading.Event()

    def step() -> bool:
        if not cut.is_set():
            cut.set()
            store.interrupt()
        return False

    store.connection.set_progress_handler(step, 1)
    with pytest.raises(Interrupted):
        store.search("needle")
    store.connection.set_progress_handler(None)
    assert store.search("needle").total == 3_000


def test_a_failed_write_leaves_the_index_as_it_was(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "demo:1", said("alpha"))

    def broken(*_: object) -> Iterator[object]:
        raise RuntimeError

    monkeypatch.setattr(store.counters, "add", broken)
    with pytest.raises(RuntimeError):
        put(store, "demo:2", said("beta"))
    monkeypatch.undo()
    put(store, "demo:3", said("beta"))
    assert ids(store, "beta") == ["demo:3"]
    assert store.index.check() == []


def test_the_archive_on_disk_passes_its_own_check(store: SqliteStore, location: str) -> None:
    put(store, "demo:1", *[said(f"needle {n}") for n in range(300)])
    store.save("demo:1", [said("other")])
    assert store.index.check() == []
    assert Path(location).exists()
    assert ids(store, "needle") == []
