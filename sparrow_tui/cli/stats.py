"""``sparrow-tui stats``: tokens, cost, requests and calls as tables with bars."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.output import BOLD, DIM, RED, YELLOW, fit, paint, print_json, say
from sparrow_tui.export.forms import SCHEMA, time_form
from sparrow_tui.query_facets import moment_of
from sparrow_tui.store.steps import STEPS
from sparrow_tui.store.totals import Sums
from sparrow_tui.text.figures import compact, dollars

BY = ("day", "agent", "model", "project", "tool")
EPILOG = """\
WHEN: 2d, 3w, 2026-10-01, 2026-10, today, yesterday. Days are local days; what is asked for begins
with the hour WHEN falls in.

JSON: {"schema": 1, "by", "since", "total": {…}, "rows": [{"name", "turns", "requests",
"request_errors", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
"reasoning_tokens", "tool_calls", "tool_errors", "cost_usd", "unpriced_tokens"}]}
"""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SUM = "all"
SHORTEST_BAR = 6

Row = tuple[str, Sums]


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "stats",
        parents=[common],
        help="tokens, cost and calls as tables",
        description="What everything in the store adds up to; a copied turn counts once.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--by", choices=(*BY, *(step for step in STEPS if step != "day")), default="day",
        help="a row for each (day)",
    )  # fmt: skip
    parser.add_argument("--since", metavar="WHEN", help="leave out what is older")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table; the exit code."""
    since = None
    if options.since is not None:
        since = moment_of(options.since, int(time.time() * 1000))
        if since is None:
            raise UserError(
                f"--since takes a date such as 2026-10-01, yesterday or 2d, not {options.since!r}",
                code=2,
            )
    with fresh_store(options) as store:
        rows = store.totals.by(options.by, since)
        total = store.totals.overall(since)
    if not rows and since is None and not options.json:
        say("nothing was counted yet; sparrow-tui doctor says where it looked")
        return 0
    if options.json:
        print_json(
            {
                "schema": SCHEMA,
                "by": options.by,
                "since": time_form(since),
                "total": form(total),
                "rows": [{"name": name, **form(sums)} for name, sums in rows],
            }
        )
    else:
        width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80
        print("\n".join(table(rows, total, options.by, max(width, 60))))
    return 0


def form(sums: Sums) -> dict[str, Any]:
    """Sums as JSON."""
    return {
        "turns": sums.turns,
        "requests": sums.requests,
        "request_errors": sums.request_errors,
        "input_tokens": sums.input,
        "output_tokens": sums.output,
        "cache_read_tokens": sums.cache_read,
        "cache_write_tokens": sums.cache_write,
        "reasoning_tokens": sums.reasoning,
        "tool_calls": sums.tool_calls,
        "tool_errors": sums.tool_errors,
        "cost_usd": sums.cost_micro / 1e6,
        "unpriced_tokens": sums.unpriced,
    }


def table(rows: Sequence[Row], total: Sums, by: str, width: int) -> list[str]:
    """The table's lines.

    Args:
        rows: names with their sums; steps of time in order.
        total: of everything asked for.
        by: what the rows are apart by.
        width: columns there are.
    """
    if not rows:
        return ["nothing was counted in that time"]
    tools = by == "tool"
    figures = _tool_figures if tools else _figures
    heads = ["calls", "errors"] if tools else ["requests", "in", "out", "cached", "tools", "cost"]
    cells = [figures(sums) for _, sums in rows]
    last = figures(total)
    widths = [
        max(len(head), *(len(row[n]) for row in [*cells, last])) for n, head in enumerate(heads)
    ]
    amounts = [sums.tool_calls if tools else sums.cost_micro or sums.tokens for _, sums in rows]
    if not tools and any(sums.cost_micro for _, sums in rows):
        amounts = [sums.cost_micro for _, sums in rows]
    shown = names_of([name for name, _ in rows], by)
    marks = [
        "" if tools or not r.request_errors else f" ✗{compact(r.request_errors)}" for _, r in rows
    ]
    longest = max(len(by), len(_SUM), *map(len, shown))
    room = width - sum(widths) - 2 * len(widths) - 2 - max(map(len, marks))
    names = max(8, min(longest, room - SHORTEST_BAR))
    bar = max(SHORTEST_BAR, min(24, room - names))
    lines = [
        paint(
            f"{by:<{names}}"
            + "".join(f"  {head:>{w}}" for head, w in zip(heads, widths, strict=True)),
            DIM,
        )
    ]
    top = max(*amounts, 1)
    for name, row, amount, mark in zip(shown, cells, amounts, marks, strict=True):
        line = fit(name, names)
        line += "".join(f"  {text:>{w}}" for text, w in zip(row, widths, strict=True))
        line += "  " + paint(_bar(amount / top, bar), YELLOW)
        if mark:
            line += paint(mark, RED)
        lines.append(line.rstrip())
    if not tools:
        line = fit(_SUM, names) + "".join(f"  {t:>{w}}" for t, w in zip(last, widths, strict=True))
        lines.append(paint(line, BOLD))
    if total.unpriced and not tools:
        lines.append(
            paint(f"+ {compact(total.unpriced)} tokens of models without a known price", DIM)
        )
    return lines


def names_of(names: Sequence[str], by: str) -> list[str]:
    """Names as they are shown: of projects the last part, and what is before it where two agree."""
    if by != "project":
        return [name or f"(no {by})" for name in names]
    parts = [[part for part in re.split(r"[/\\]", name) if part] for name in names]
    taken = [1] * len(names)
    for _ in range(3):
        shown = ["/".join(part[-n:]) for part, n in zip(parts, taken, strict=True)]
        twice = Counter(shown)
        taken = [n + (twice[text] > 1) for n, text in zip(taken, shown, strict=True)]
    shown = ["/".join(part[-n:]) for part, n in zip(parts, taken, strict=True)]
    return [text or name or "(no project)" for text, name in zip(shown, names, strict=True)]


def _figures(sums: Sums) -> list[str]:
    return [
        compact(sums.requests), compact(sums.input), compact(sums.output),
        compact(sums.cache_read + sums.cache_write), compact(sums.tool_calls),
        # Aligned with what has no price left out.
        dollars(sums.cost_micro) + ("+" if sums.unpriced else " "),
    ]  # fmt: skip


def _tool_figures(sums: Sums) -> list[str]:
    share = sums.tool_errors / sums.tool_calls if sums.tool_calls else 0.0
    said = "" if not share else "<1%" if share < 0.005 else f"{share:.0%}"
    errors = f"{compact(sums.tool_errors)} {said:>4}" if sums.tool_errors else "–"
    return [compact(sums.tool_calls), errors]


def _bar(share: float, cells: int) -> str:
    """A bar of eighths; something that is not nothing shows."""
    eighths = round(share * cells * 8) or int(share > 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
