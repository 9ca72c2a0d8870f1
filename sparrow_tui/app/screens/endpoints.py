"""Where counters come from elsewhere: every endpoint, how it answers, and what it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sparrow_tui.metrics.remote import Reading, Remote
from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.figures import compact, dollars

NONE = (
    "No endpoint is asked. Start with sparrow-tui --scrape URL (more than once for more than one)\n"
    "to read others' counters, or with --prometheus URL to read a fleet's."
)
KINDS = {"scraped": "Scraped endpoints", "fleet": "Prometheus server"}


class EndpointsScreen(ModalScreen[None]):
    """A list that grows older by the second."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,S,enter", "dismiss", "Close"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, remotes: Callable[[], Mapping[str, Remote]]) -> None:
        """Args: gives what was heard last, by scope."""
        super().__init__(classes="dialog")
        self._remotes = remotes

    def compose(self) -> ComposeResult:
        """One scrollable page."""
        with VerticalScroll(classes="dialog--box"):
            yield Static(self._page(), id="endpoints")

    def on_mount(self) -> None:
        """Ages and the time until the next try move on."""
        self.set_interval(1, self.renew)

    def renew(self) -> None:
        """Show what was heard last, as old as it is now."""
        if self.is_mounted:
            self.query_one("#endpoints", Static).update(self._page())

    def action_scroll(self, lines: int) -> None:
        """Move the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _page(self) -> Content:
        remotes = self._remotes()
        if not remotes:
            return Content.styled(NONE, "$text-muted")
        lines: list[Content] = []
        for scope, remote in remotes.items():
            passed = time.monotonic() - remote.at
            lines += [Content.styled(KINDS.get(scope, scope), "bold $primary"), Content("")]
            for place in remote.places:
                lines += [*told(place, passed), Content("")]
        lines.append(Content.styled("Esc closes this list.", "$text-muted"))
        return Content("\n").join(lines)


def told(place: Reading, passed: float) -> Iterator[Content]:
    """The lines about one endpoint.

    Args:
        place: what it said.
        passed: seconds since then.
    """
    mark, state, style = _state(place)
    age = None if place.age is None else place.age + passed
    heard = "no figures so far" if age is None else f"figures of {span(age)} ago"
    yield Content.assemble(
        (f"{mark} ", style), (f"{clean_line(place.name, 46):<46} ", "bold"), (state, style)
    )
    facts = [heard, f"{place.series:,} series"] if age is not None else [heard]
    if place.again is not None:
        facts.append(f"next try in {span(max(0.0, place.again - passed))}")
    yield Content.styled(f"  {' · '.join(facts)}", "$text-muted")
    if place.problem:
        tries = f" ({place.failures:,} tries in vain)" if place.failures > 1 else ""
        yield Content.styled(f"  {clean_line(place.problem, 160)}{tries}", "$error")
    if place.sample is not None:
        old = bool(place.problem) or place.stale
        yield Content.styled(f"  {_figures(place)}", "$text-disabled" if old else "$foreground")


def _state(place: Reading) -> tuple[str, str, str]:
    """Mark, words and style."""
    if place.problem:
        return "✗", "fails", "$error"
    if place.age is None:
        return "…", "is being asked", "$text-muted"
    if place.stale:
        return "◐", "stale", "$warning"
    return "●", "answers", "$success"


def _figures(place: Reading) -> str:
    sample = place.sample
    assert sample is not None
    figures = [
        f"tokens ↑{compact(sample.tokens_input)} ↓{compact(sample.tokens_output)}",
        f"requests {_of(sample.requests_total, sample.requests_errors)}",
        f"tools {_of(sample.tool_calls_total, sample.tool_calls_errors)}",
        dollars(place.cost_micro),
        f"{sample.active_sessions:,} active",
    ]
    if place.tokens_a_minute:
        figures.append(f"{compact(place.tokens_a_minute)}/min")
    return "  ".join(figures)


def _of(good: int, bad: int) -> str:
    return compact(good) + (f" ✗{compact(bad)}" if bad else "")


def span(seconds: float) -> str:
    """A time for people: ``3 s``, ``4 min``, ``2 h``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_940 else f"{seconds / 3600:.0f} h"
