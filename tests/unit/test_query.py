"""The search language: what is understood, what is marked, what is highlighted."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui import tokens
from sparrow_tui.query import FACETS, Facet, Query, highlight, holds, parse

NOW = int(datetime(2026, 11, 20, 12).timestamp() * 1000)
DAY = 86_400_000


def day(year: int, month: int, number: int) -> int:
    return int(datetime(year, month, number).timestamp() * 1000)


def only(query: Query) -> Facet:
    (facet,) = query.facets
    return facet


def lit(text: str, query: str) -> list[str]:
    """The pieces of a text that are highlighted."""
    return [text[start:end] for start, end in highlight(text, parse(query))]


def test_words_are_prefixes_and_all_must_be_there() -> None:
    query = parse("retry backoff")
    assert [[(t.text, t.prefix) for t in clause] for clause in query.clauses] == [
        [("retry", True)],
        [("backoff", True)],
    ]


def test_quotes_make_a_phrase_even_unclosed() -> None:
    for text in ('"exact phrase"', '"exact phrase'):
        ((term,),) = parse(text).clauses
        assert (term.text, term.prefix, term.exact) == ("exact phrase", False, False)


def test_minus_leaves_out_and_or_joins() -> None:
    query = parse('a OR b -c -"d e"')
    assert [[term.text for term in clause] for clause in query.clauses] == [["a", "b"]]
    assert [term.text for term in query.excluded] == ["c", "d e"]
    assert parse("OR a").terms[0].text == "OR"
    assert [term.text for term in parse("a OR").terms] == ["a", "OR"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agent:claude", Facet("agent", "claude")),
        ("-agent:claude", Facet("agent", "claude", negated=True)),
        ('project:"my app"', Facet("project", "my app")),
        ("AGENT:x", Facet("agent", "x")),
        ("role:a", Facet("role", "assistant")),
        ("is:sub", Facet("is", "subagent")),
        ("has:image", Facet("has", "image")),
        ("file:src/a.py", Facet("file", "src/a.py")),
        ("tokens:>50k", Facet("tokens", ">50k", operator=">", number=50_000)),
        ("cost:<=1.5", Facet("cost", "<=1.5", operator="<=", number=1.5)),
        ("cost:>$2", Facet("cost", ">$2", operator=">", number=2)),
        ("turns:100", Facet("turns", "100", operator=">=", number=100)),
        ("tokens:<2m", Facet("tokens", "<2m", operator="<", number=2_000_000)),
        ("after:2d", Facet("after", "2d", number=NOW - 2 * DAY)),
        ("after:3w", Facet("after", "3w", number=NOW - 21 * DAY)),
        ("before:2026-10-01", Facet("before", "2026-10-01", number=day(2026, 10, 1))),
        ("before:2026-10", Facet("before", "2026-10", number=day(2026, 10, 1))),
        ("before:2026", Facet("before", "2026", number=day(2026, 1, 1))),
        ("after:yesterday", Facet("after", "yesterday", number=day(2026, 11, 19))),
        ("after:today", Facet("after", "today", number=day(2026, 11, 20))),
    ],
)
def test_facets(text: str, expected: Facet) -> None:
    query = parse(text, NOW)
    assert only(query) == expected
    assert not query.problems
    assert [span.kind for span in query.spans] == ["facet"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("role:nobody", "role: takes user"),
        ("after:sometime", "after: takes a date"),
        ("tokens:many", "tokens: takes a number"),
        ("is:green", "is: takes error"),
        ("agnet:claude", "perhaps agent: is meant"),
        ("sort:up", "sort: takes new"),
        ("expires:soon", "expires: takes a number of days"),
    ],
)
def test_a_wrong_facet_is_marked_and_the_rest_still_counts(text: str, said: str) -> None:
    typed = f"needle {text} hay"
    query = parse(typed, NOW)
    (problem,) = query.problems
    assert typed[problem.start : problem.end] == text
    assert said in problem.message
    assert "\n" not in problem.message
    assert [term.text for term in query.terms] == ["needle", "hay"]
    assert [span.kind for span in query.spans] == ["word", "problem", "word"]


def test_a_facet_still_to_be_typed_is_no_problem() -> None:
    for name in FACETS:
        query = parse(f"{name}:")
        assert query.is_empty
        assert not query.problems


def test_sort_is_not_a_condition() -> None:
    for sort in ("new", "old", "best", "long", "cost"):
        query = parse(f"sort:{sort}")
        assert query.sort == sort
        assert query.is_empty


@pytest.mark.parametrize("text", ['"', "-", "*", "--", "''", '""', " ", "\x00"])
def test_the_beginning_of_something_is_nothing_yet(text: str) -> None:
    assert not parse(text).excluded
    assert not [term for term in parse(text).terms if term.units]


def test_words_beyond_the_limit_are_said() -> None:
    query = parse(" ".join(f"w{n}" for n in range(60)))
    assert len(query.terms) == 24
    assert "only the first 24" in query.problems[0].message


@pytest.mark.parametrize(
    ("word", "units"),
    [
        ("retry", [("retry", True)]),
        ("Ünï", [("uni", True)]),
        ("jwt.rs", [(f"jwt{tokens.JOINER}rs", True)]),
        ("a/b.c", [(f"a{tokens.JOINER}b", False), (f"b{tokens.JOINER}c", True)]),
        ("foo(bar", [("foo", False), ("bar", True)]),
        ("don't", [(f"don{tokens.JOINER}t", True)]),
        ("东京都", [("东京", False), ("京都", True)]),
        ("C++", [("cplusplus", False)]),
        ("c#", [("csharp", False)]),
        ("🚀", [("🚀", False)]),
        ("---", []),
    ],
)
def test_index_words_of_a_query_word(word: str, units: list[tuple[str, bool]]) -> None:
    assert tokens.units(word) == units


@pytest.mark.parametrize(
    ("text", "query", "pieces"),
    [
        ("see getUserById here", "user", ["User"]),
        ("see getUserById here", "getuser", ["getUser"]),
        ("a max_retry_count of", "max_re", ["max_re"]),
        ("Die Straße entlang", "strasse", ["Straße"]),
        ("café and CAFÉ", "cafe", ["café", "CAFÉ"]),
        ("今日は東京の天気", "東京", ["東京"]),
        ("在使用redis缓存", "redis", ["redis"]),
        ("한국어 검색", "국어", ["국어"]),
        ("it is C++ code", "C++", ["C++"]),
        ("go 🚀 go", "🚀", ["🚀"]),
        ("superuser", "user", []),
        ("exact phrases", '"exact phrase"', []),
        ("an exact  phrase", '"exact phrase"', ["exact  phrase"]),
        ("ﬁne ﬁre", "fin", ["ﬁn"]),
    ],
)
def test_highlights(text: str, query: str, pieces: list[str]) -> None:
    assert lit(text, query) == pieces


def test_a_text_decides_where_the_index_cannot() -> None:
    ((phrase,),) = parse('"to be"').clauses
    assert holds("or TO  be, not", (phrase,))
    assert not holds("to begin", (phrase,))
    ((sign,),) = parse("a->b").clauses
    assert holds("x A->B y", (sign,))
    assert not holds("a b", (sign,))


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from(' "-:*ORß今日é́ⅣΣςİ'), max_size=60)


@given(TEXT)
def test_any_text_is_understood(text: str) -> None:
    query = parse(text)
    for span in query.spans:
        assert 0 <= span.start < span.end <= len(text)
    for problem in query.problems:
        assert 0 <= problem.start < problem.end <= len(text)
    for term in [*query.terms, *query.excluded]:
        for unit, _ in term.units:
            assert unit
            assert '"' not in unit
            assert not any(map(str.isspace, unit))


@given(TEXT, TEXT)
def test_highlights_are_in_order_and_inside(text: str, typed: str) -> None:
    end = 0
    for first, last in highlight(text, parse(typed)):
        assert end <= first < last <= len(text)
        end = last


@given(TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert tokens.fold(tokens.fold(text)) == tokens.fold(text)


def test_a_very_long_query_is_understood() -> None:
    parse("x" * 10_000)
    parse('"' + "word " * 2_000)
    parse("a.b/" * 2_500)
