"""Sessions are found by the beginning of their id, beside what was said in them."""

from __future__ import annotations

from sparrow_tui.model import SessionInfo, Text, Turn
from sparrow_tui.query import parse
from sparrow_tui.store import idents
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.sqlite import SqliteStore

UUID = "7c0ffee1-5eed-4abc-9def-0123456789ab"
START = 1_700_000_000_000
DAY = 86_400_000


def put(store: SqliteStore, ident: str, text: str, day: int = 0, **facts: object) -> None:
    turn = Turn(role="user", blocks=[Text(text)], time=START + day * DAY)
    info = SessionInfo(id=ident, **facts)  # type: ignore[arg-type]
    store.write([Prepared(session=info, rows=rows([turn]))])


def listed(store: SqliteStore, text: str) -> list[list[str]]:
    """The sessions of each stage that found something."""
    found = []
    for results in store.searcher.stages(parse(text)):
        rows = store.searcher.details(results.sids, results.query, results)
        found.append([row.session.id for row in rows])
    return [ids for ids in found if ids]


def paged(store: SqliteStore, text: str) -> list[tuple[str, int]]:
    return [(hit.session, hit.turn) for hit in store.search(text).hits]


def test_by_the_whole_id_or_its_beginning(store: SqliteStore) -> None:
    put(store, f"claude:{UUID}", "hello there")
    put(store, "codex:11111111-2222", "something else")
    for typed in (UUID, UUID[:8], UUID[:13], UUID.upper(), f"claude:{UUID}", f"claude:{UUID[:9]}"):
        assert listed(store, typed)[-1] == [f"claude:{UUID}"], typed
        assert paged(store, typed) == [(f"claude:{UUID}", -1)], typed
        assert store.search(typed).total == 1
        assert not store.search(typed).problems
    assert paged(store, UUID[:7]) == []
    assert paged(store, UUID[1:]) == []


def test_ids_of_other_kinds(store: SqliteStore) -> None:
    for ident in ("opencode:ses_5f00BaR7x", "amp:T-5f00ba12-77", "plain-2026-10-01"):
        put(store, ident, "hello there")
        assert paged(store, ident.partition(":")[2] or ident) == [(ident, -1)]


def test_it_stands_above_those_that_name_it(store: SqliteStore) -> None:
    put(store, f"claude:{UUID}", "hello there")
    put(store, f"claude:{UUID}/side-1", "a helper", parent=f"claude:{UUID}")
    for day in range(1, 4):
        put(store, f"codex:{day}", f"look into {UUID}", day)
    for stage in listed(store, UUID):
        assert stage[:2] == [f"claude:{UUID}", f"claude:{UUID}/side-1"]
    assert [ident for ident, _ in paged(store, UUID)] == [
        f"claude:{UUID}",
        f"claude:{UUID}/side-1",
        "codex:3",
        "codex:2",
        "codex:1",
    ]
    assert store.search(UUID).total == 5


def test_pages_go_on_behind_it(store: SqliteStore) -> None:
    put(store, f"claude:{UUID}", f"I am {UUID}")
    for day in range(1, 6):
        put(store, f"codex:{day}", f"look into {UUID}", day)
    seen: list[tuple[str, int]] = []
    before = None
    while True:
        page = store.search(UUID, limit=2, before=before)
        assert len(page.hits) <= 2
        seen += [(hit.session, hit.turn) for hit in page.hits]
        before = page.next_docid
        if before is None:
            break
    turns = [(f"codex:{day}", 0) for day in (5, 4, 3, 2, 1)]
    assert seen == [(f"claude:{UUID}", -1), *turns, (f"claude:{UUID}", 0)]
    assert store.search(UUID, limit=0).hits == []


def test_filters_hold_for_it(store: SqliteStore) -> None:
    put(store, f"claude:{UUID}", "hello there")
    put(store, "codex:1", "hello there")
    assert paged(store, f"{UUID} agent:claude") == [(f"claude:{UUID}", -1)]
    assert paged(store, f"{UUID} agent:codex") == []
    assert paged(store, f"{UUID} hello") == []
    with store.transaction():
        store.organiser.hide(f"claude:{UUID}", True)
    assert paged(store, UUID) == []


def test_it_costs_no_look_at_every_session(store: SqliteStore) -> None:
    plan = store.connection.execute(f"EXPLAIN QUERY PLAN {idents._FIND}", ("x", 1)).fetchall()
    looks = [row[3] for row in plan if "session" in row[3]]
    assert looks
    assert all("SEARCH" in look for look in looks), looks
