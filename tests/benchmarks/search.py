"""How long every keystroke of a search takes, what it finds, and what the index costs.

    python -m tests.benchmarks.search [--turns 10000,100000] [--seed 1] [--folder DIR]
        [--queries 200] [--only typing,recall,build]

Libraries are made on first use (`library.py`) and kept. Times are read as ratios within one run:

* ``first``: the first page as the app shows it, 20 sessions with snippets; ``first, names only``
  without them; ``ranked``: from the key to the ranked page with snippets; ``search``: the store's
  ``search``, 50 turns with snippets;
* ``floor``: ``SELECT rowid … MATCH … LIMIT 50`` on one FTS5 table over the same texts, every word
  a prefix; ``ancestor``: the same with the ancestor's schema and statement (``ORDER BY rank``);
  ``tantivy``: (PyPI ``tantivy``) 50 best, last word a prefix. These three are made up to
  ``--beside`` turns only.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import apsw
import platformdirs

from sparrow_tui import query as language
from sparrow_tui import tokens
from sparrow_tui.store import codec, index, open_store, shown
from sparrow_tui.store.index import Entry, Index
from sparrow_tui.store.prepared import rows
from sparrow_tui.store.sqlite import SqliteStore
from tests.benchmarks.library import library

WORD = re.compile(r"\S+")
ROWS = 20
"""Rows whose snippets the app asks for: as many as a screen of 60 lines shows."""

Answer = Callable[[str], object]


def texts(store: SqliteStore, seed: int, most: int) -> Iterator[tuple[int, str, str]]:
    """Turns at random places: session number, role, text."""
    chance = random.Random(seed)
    ids = store.connection.execute("SELECT min(no), max(no) FROM chunk").fetchone()
    for _ in range(most):
        row = store.connection.execute(
            "SELECT sid, role, body FROM turn WHERE docid >= ? LIMIT 1 OFFSET ?",
            (chance.randint(*ids) << 6, chance.randrange(30)),
        ).fetchone()
        if row is not None:
            yield row[0], row[1], shown.text_of(row[2])


def trace(store: SqliteStore, seed: int, queries: int) -> list[str]:
    """Queries as people type them: one to four words of a turn, some with a facet."""
    chance = random.Random(seed)
    typed: list[str] = []
    for _, _, text in texts(store, seed, queries * 10):
        words = WORD.findall(text)
        if not words or len(typed) == queries:
            continue
        kind = chance.random()
        if kind < 0.2:
            at = chance.randrange(len(words))
            said = " ".join(words[at : at + chance.randint(2, 4)])
        else:
            said = " ".join(chance.choices(words, k=chance.choice((1, 1, 2, 2, 3, 4))))
        if kind > 0.93:
            said = (
                f"{chance.choice(('agent:claude', 'role:user', 'after:2025', 'is:error'))} {said}"
            )
        elif kind > 0.9:
            said = f'"{" ".join(words[:3])}"'
        typed.append(said[:60])
    return typed


def typed(store: SqliteStore, queries: Iterable[str], answers: dict[str, Answer]) -> None:
    """Type all queries key by key, each answer to the same prefix beside the others; a table."""
    times: dict[str, dict[int, list[float]]] = {name: {} for name in answers}
    for said in queries:
        for length in range(1, len(said) + 1):
            for name, answer in answers.items():
                started = time.perf_counter()
                answer(said[:length])
                took = (time.perf_counter() - started) * 1000
                times[name].setdefault(min(length, 13), []).append(took)
    print("| ms: median / p99 / worst | " + " | ".join(times) + " |")
    print("|---|" + "---|" * len(times))
    groups = {"1 letter": (1, 1), "2": (2, 2), "3": (3, 3), "4–6": (4, 6), "7–12": (7, 12),
              "13 and more": (13, 13), "all keys": (1, 13)}  # fmt: skip
    for label, (low, high) in groups.items():
        cells = []
        for by_length in times.values():
            some = sorted(t for n, ts in by_length.items() if low <= n <= high for t in ts)
            if some:
                p99 = some[min(len(some) - 1, int(len(some) * 0.99))]
                cells.append(f"{statistics.median(some):.2f} / {p99:.1f} / {some[-1]:.1f}")
            else:
                cells.append("–")
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def our_answers(store: SqliteStore) -> dict[str, Answer]:
    """The store's ways to answer."""
    searcher = store.searcher

    def names(text: str) -> object:
        return next(searcher.stages(language.parse(text)))

    def first(text: str) -> object:
        results = next(searcher.stages(language.parse(text)))
        return searcher.details(results.sids[:ROWS], results.query, results)

    def ranked(text: str) -> object:
        for results in islice(searcher.stages(language.parse(text)), 2):
            searcher.details(results.sids[:ROWS], results.query, results)
        return None

    return {"first, names only": names, "first": first, "ranked": ranked, "search": store.search}


def all_texts(store: SqliteStore) -> Iterator[tuple[int, str, int, str, str]]:
    """Every turn: row id, session, index, role, text."""
    for row_id, sid, turn, role, body in store.connection.execute(
        "SELECT docid, sid, idx, role, body FROM turn ORDER BY docid"
    ):
        yield row_id, sid, turn, role, shown.text_of(body)


def floor(store: SqliteStore, path: Path) -> Answer:
    """One FTS5 table, newest first."""
    fresh = not path.exists()
    db = apsw.Connection(str(path))
    if fresh:
        db.execute("CREATE VIRTUAL TABLE f USING fts5(text, content='', prefix='1 2 3')")
        db.execute("INSERT INTO f(f, rank) VALUES ('hashsize', 67108864)")
        with db:
            db.executemany(
                "INSERT INTO f(rowid, text) VALUES (?, ?)",
                ((n, row[4]) for n, row in enumerate(all_texts(store))),
            )

    def answer(text: str) -> object:
        match = " ".join(f'"{word}" *' for word in re.findall(r"[^\W_]+", text))
        return (
            match
            and db.execute(
                "SELECT rowid FROM f WHERE f MATCH ? ORDER BY rowid DESC LIMIT 50", (match,)
            ).fetchall()
        )

    return answer


def ancestor(store: SqliteStore, path: Path) -> Answer:
    """Its tables and its statement."""
    fresh = not path.exists()
    db = apsw.Connection(str(path))
    if fresh:
        db.execute(
            "CREATE TABLE session_messages(session_id TEXT NOT NULL, turn_index INTEGER NOT NULL,"
            " role TEXT NOT NULL, text TEXT NOT NULL, updated_at INTEGER,"
            " PRIMARY KEY (session_id, turn_index));"
            "CREATE VIRTUAL TABLE session_messages_fts USING fts5(role, text,"
            " content='session_messages', content_rowid='rowid')"
        )
        with db:
            db.executemany(
                "INSERT INTO session_messages VALUES (?, ?, ?, ?, 0)",
                ((str(sid), turn, role, text) for _, sid, turn, role, text in all_texts(store)),
            )
            db.execute("INSERT INTO session_messages_fts(session_messages_fts) VALUES ('rebuild')")

    def answer(text: str) -> object:
        words = ["".join(c for c in word if c.isalnum() or c in "_-") for word in text.split()]
        try:
            return db.execute(
                "SELECT sm.session_id, sm.turn_index, sm.role, sm.text, sm.updated_at"
                " FROM session_messages sm INNER JOIN session_messages_fts fts"
                " ON sm.rowid = fts.rowid WHERE session_messages_fts MATCH ? ORDER BY rank LIMIT 50",
                (" ".join(f"{word}*" for word in words if word),),
            ).fetchall()
        except apsw.SQLError:
            return None  # it does not quote

    return answer


def tantivy_answer(store: SqliteStore, path: Path) -> Answer | None:
    """An index of tantivy's over the same texts."""
    try:
        import tantivy
    except ImportError:
        return None
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", stored=False)
    builder.add_integer_field("id", stored=True)
    fresh = not path.exists()
    path.mkdir(exist_ok=True)
    held = tantivy.Index(builder.build(), path=str(path))
    if fresh:
        writer = held.writer(200_000_000, 1)
        for row_id, _, _, _, text in all_texts(store):
            writer.add_document(tantivy.Document(text=text, id=row_id))
        writer.commit()
        writer.wait_merging_threads()
    held.reload()

    def answer(text: str) -> object:
        words = re.findall(r"[^\W_]+", text.lower())
        if not words:
            return None
        asked = [
            (tantivy.Occur.Must, tantivy.Query.term_query(held.schema, "text", word))
            for word in words[:-1]
        ]
        last = tantivy.Query.regex_query(held.schema, "text", f"{words[-1]}.*")
        found = tantivy.Query.boolean_query([*asked, (tantivy.Occur.Must, last)])
        return held.searcher().search(found, 50).hits

    return answer


def recall(store: SqliteStore, seed: int) -> None:
    """Whether what was taken from a turn finds its session, and a phrase puts it first."""
    chance = random.Random(seed)
    missed: list[str] = []
    asked = {"word": 0, "pair": 0}
    for sid, _, text in texts(store, seed + 1, 20_000):
        words = WORD.findall(text)
        kind = "word" if asked["word"] < 1000 else "pair"
        if len(words) < 2 or asked["pair"] == 500:
            continue
        said = " ".join(chance.sample(words, 1 if kind == "word" else 2))
        asked[kind] += 1
        results = list(store.searcher.stages(language.parse(said)))[-1]
        if sid not in results.sids:
            missed.append(said)
    print(f"recall: {sum(asked.values()) - len(missed)} of {asked['word']} words and"
          f" {asked['pair']} pairs found their session; missed: {missed[:5]}")  # fmt: skip
    first = tried = 0
    wrong: list[str] = []
    for sid, role, text in texts(store, seed + 2, 5_000):
        words = re.findall(r"\S+", text)
        if role != "user" or len(words) < 6 or tried == 300:
            continue
        at = chance.randrange(len(words) - 4)
        said = " ".join(words[at : at + 5])
        results = list(islice(store.searcher.stages(language.parse(said)), 2))[-1]
        tried += 1
        if results.sids and results.sids[0] == sid:
            first += 1
        else:
            wrong.append(said)
    print(
        f"precision: {first} of {tried} prompts' phrases put their session first; not: {wrong[:3]}"
    )


def build(store: SqliteStore, turns: int) -> None:
    """The index's size, and the speed of building it beside a bare FTS5 table."""
    db = store.connection
    size = db.execute(
        "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'fts_%' OR name IN ('word', 'part')"
    ).get
    text = db.execute("SELECT sum(chars) FROM turn").get
    print(f"index / indexed text: {size / 1e6:.0f} MB / {text / 1e6:.0f} MB = {size / text:.2f}")
    turns_held = [
        (row_id, sid, codec.decode(body))
        for row_id, sid, body in islice(
            db.execute("SELECT docid, sid, body FROM turn ORDER BY docid"), turns
        )
    ]
    plain = [(row_id, codec.text_form(turn.blocks)) for row_id, _, turn in turns_held]
    started = time.process_time()
    fed = [(row_id, tokens.index_text(text)) for row_id, text in plain]
    preparing = time.process_time() - started
    entries = []
    for sid, of_one in groupby(turns_held, key=itemgetter(1)):
        held = list(of_one)
        entries += [
            Entry(at, sid, row.role, row.words or "", row.said, row.vocabulary)
            for (at, _, _), row in zip(held, rows([turn for _, _, turn in held]), strict=True)
        ]
    ours, bare, same = [], [], []
    for _ in range(3):
        archive = apsw.Connection(":memory:")
        archive.execute(index.TABLES)
        made = Index(archive)
        started = time.process_time()
        for at in range(0, len(entries), 6_000):
            with archive:
                made.add(entries[at : at + 6_000])
        ours.append(time.process_time() - started)
        bare.append(bare_build(plain))
        same.append(bare_build(fed))
    number = len(entries)
    print(
        f"build of {number:,} turns, turns a second of CPU: {number / min(ours):,.0f} in the writing"
        f" process; a bare FTS5 table with the same options {number / min(bare):,.0f}"
        f" ({min(bare) / min(ours):.0%}), with the same words {number / min(same):,.0f}"
        f" ({min(same) / min(ours):.0%}); making the words, in the reading processes,"
        f" {number / preparing:,.0f}"
    )


def bare_build(texts: list[tuple[int, str]]) -> float:
    """Seconds of CPU to build the best bare index of texts."""
    db = apsw.Connection(":memory:")
    db.execute(
        "CREATE VIRTUAL TABLE f USING fts5(text, content='', contentless_delete=1,"
        " prefix='1 2 3', detail=none)"
    )
    db.execute("INSERT INTO f(f, rank) VALUES ('hashsize', 67108864)")
    started = time.process_time()
    for at in range(0, len(texts), 6_000):
        with db:
            db.executemany("INSERT INTO f(rowid, text) VALUES (?, ?)", texts[at : at + 6_000])
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", default="10000,100000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--beside", type=int, default=100_000)
    parser.add_argument("--only", default="typing,recall,build")
    parser.add_argument("--folder", type=Path,
                        default=Path(platformdirs.user_cache_dir("sparrow-tui-benchmarks")))  # fmt: skip
    options = parser.parse_args()
    for turns in map(int, options.turns.split(",")):
        path = library(turns, options.folder)
        store = open_store(str(path), readonly=True)
        print(f"\n{turns:,} messages, {store.count():,} sessions")
        if "typing" in options.only:
            answers = our_answers(store)
            if turns <= options.beside:
                stem = options.folder / f"beside-{turns}"
                answers["floor"] = floor(store, stem.with_suffix(".floor"))
                answers["ancestor"] = ancestor(store, stem.with_suffix(".ancestor"))
                other = tantivy_answer(store, stem.with_suffix(".tantivy"))
                if other is not None:
                    answers["tantivy"] = other
            typed(store, trace(store, options.seed, options.queries), answers)
        if "recall" in options.only:
            recall(store, options.seed)
        if "build" in options.only:
            build(store, min(turns, 30_000))
        store.close()


if __name__ == "__main__":
    sys.exit(main())
