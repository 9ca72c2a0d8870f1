"""Titles without the marks of Markdown, and with every sign that is none."""

from __future__ import annotations

import pytest

from sparrow_tui.agents.common import title_of
from sparrow_tui.model import SessionInfo, Text, Turn
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.titles import unmarked


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("**Goal**: mend the `net`", "Goal: mend the net"),
        ("make a **NET.md** file, *please*", "make a NET.md file, please"),
        ("see [the guide](https://host.example/a) first", "see the guide first"),
        ("请**修复**这个", "请修复这个"),
        ("**Important** and ~~not~~", "Important and not"),
        ("`**kwargs` are lost", "**kwargs are lost"),
        ("``a ` b`` stays", "a ` b stays"),
        ("`an open fence", "an open fence"),
    ],
)
def test_marks_are_left_out(typed, plain):
    assert unmarked(typed) == plain


@pytest.mark.parametrize(
    "typed",
    [
        "2**8 and 3**4",
        "src/**/*.py and lib/**/*.py",
        "*.py and *.md",
        "a * b * c",
        "__init__.py and __main__.py",
        "what does __init__ do",
        "snake_case_name and _private_",
        "f(*args, **kwargs)",
        "*args and *kwargs",
        "[Image #1] (look)",
        "~/.config and ~/work",
        "plain words",
        "",
    ],
)
def test_other_signs_stay(typed):
    assert unmarked(typed) == typed


def test_a_prompt_names_its_session_without_marks():
    assert title_of("**Goal** mend the net\nmore") == "Goal mend the net"
    assert title_of("## **Task**:\n- find the `hole`") == "Task: find the hole"
    assert title_of("**") == "**"


def test_titles_of_agents_too_but_not_a_users_name(store: SqliteStore) -> None:
    turn = Turn(role="user", blocks=[Text("hello")])
    info = SessionInfo(id="claude:1", title="Mend the **net**")
    store.write([Prepared(session=info, rows=rows([turn]))])
    assert store.list()[0].title == "Mend the net"
    with store.transaction():
        store.organiser.rename("claude:1", "my **net**")
    assert store.list()[0].title == "my **net**"
