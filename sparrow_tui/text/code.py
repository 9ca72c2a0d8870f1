"""Source code → styled lines, by Pygments."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sparrow_tui.text.spans import Line, Span

LIMIT = 60_000
"""Characters of one block that are coloured; more stays plain."""

COMMON = ("python", "bash", "json", "typescript", "rust", "go", "diff", "yaml", "toml", "html")
"""Languages met most, by name."""

_KINDS = (
    ("Comment", "comment"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Decorator", "name"),
    ("Name.Tag", "keyword"),
    ("Name.Builtin", "name"),
    ("Name.Attribute", "name"),
    ("Generic.Inserted", "add"),
    ("Generic.Deleted", "delete"),
    ("Generic.Subheading", "hunk"),
    ("Generic.Heading", "heading"),
)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Any:
    """A lexer for a language's name or a file's ending; ``None`` if there is none."""
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        pass
    try:
        return get_lexer_for_filename(f"x.{language}", stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def prepare(language: str) -> None:
    """Load what colours a language (the first one brings the highlighter): up to 60 ms."""
    _lexer(language)


@lru_cache(maxsize=256)
def _style(kind: Any) -> str:
    name = str(kind).removeprefix("Token.")
    for prefix, style in _KINDS:
        if name.startswith(prefix):
            return style
    return "code"


def highlight(text: str, language: str) -> list[Line]:
    """Safe source text as logical lines, coloured if the language is known."""
    language = language.strip().lower().split()[0].strip("{}.,") if language.strip() else ""
    lexer = _lexer(language) if language and len(text) <= LIMIT else None
    if lexer is None:
        return [(Span(line, "code"),) if line else () for line in text.split("\n")]
    lines: list[list[Span]] = [[]]
    for kind, value in lexer.get_tokens(text):
        style = _style(kind)
        pieces = value.split("\n")
        for number, piece in enumerate(pieces):
            if number:
                lines.append([])
            if piece:
                lines[-1].append(Span(piece, style))
    return [tuple(line) for line in lines]


def language_of(path: str) -> str:
    """A language name for a file's path: its ending."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else name.lower()
