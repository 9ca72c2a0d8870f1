"""``sparrow-tui search``: turns that match a query, newest first or as ``sort:`` says."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any

from sparrow_tui import query as language
from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.numbers import whole
from sparrow_tui.cli.output import CYAN, DIM, age, lit, paint, print_json, say
from sparrow_tui.export.forms import SCHEMA, hit_form
from sparrow_tui.query import EXAMPLES
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Hit

EPILOG = """\
JSON: {"schema": 1, "query", "total", "complete", "problems": [...], "hits": [{"session", "turn",
"role", "time", "title", "snippet", "spans": [[start, end], ...]}]}; "total" is a lower bound
unless "complete"; "spans" are offsets of the matches in "snippet".
"""

VALUED = ("--limit", "--store")
"""Options that are followed by a value."""


def arranged(words: list[str]) -> list[str]:
    """The command's arguments with its options first, so that ``-word`` can leave out a word.

    What begins with one minus after the first word is part of the query (``-h`` is help).
    """
    options: list[str] = []
    query: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            query.extend(rest)
        elif word.startswith("--") or word == "-h" or (word.startswith("-") and not query):
            options.append(word)
            if word in VALUED:
                options.extend(islice(rest, 1))
        else:
            query.append(word)
    return [*options, "--", *query] if query else options


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    width = max(len(example) for example, _ in EXAMPLES)
    examples = "\n".join(f"  {example:<{width}}  {meaning}" for example, meaning in EXAMPLES)
    parser = commands.add_parser(
        "search",
        parents=[common],
        help="find turns",
        description="Find turns in every session.",
        epilog=f"what can be searched for:\n{examples}\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("query", nargs="+", metavar="QUERY", help='words, "phrases", facets')
    parser.add_argument("--limit", type=whole, default=50, metavar="N", help="at most N hits (50)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the hits; the exit code."""
    text = " ".join(options.query)
    with fresh_store(options) as store:
        page = store.search(text, limit=options.limit)
    if options.json:
        print_json(
            {
                "schema": SCHEMA,
                "query": text,
                "total": page.total,
                "complete": page.complete,
                "problems": page.problems,
                "hits": [hit_form(hit) for hit in page.hits],
            }
        )
        return 0
    last = ""
    for hit in page.hits:
        if hit.session != last:
            _head(hit)
            last = hit.session
        if hit.turn >= 0:
            print(f"{paint(f'{hit.turn:>7}', DIM)}  {lit(hit.snippet, hit.spans)}")
    for problem in page.problems:
        say(problem)
    if not page.problems and not page.total and language.parse(text).is_empty:
        say("nothing to look for; sparrow-tui search --help shows what there is")
    more = "" if page.complete else "+"
    what = "hit" if any(hit.turn >= 0 for hit in page.hits) or not page.hits else "session"
    number = f"{page.total:,}{more} {what}{'' if page.total == 1 and page.complete else 's'}"
    say(number + (f", {len(page.hits):,} shown" if len(page.hits) < page.total else ""))
    return 0


def _head(hit: Hit) -> None:
    title = clean_line(hit.title, 120) or "(no prompt)"
    print(f"{title}  {paint(clean_line(hit.session), CYAN)}  {paint(age(hit.time), DIM)}")
