"""What shows when there is nothing to show: where was looked, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from sparrow_tui.sanitize import clean_line


class FirstRun(Static, can_focus=True):
    """The page of an empty store."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "app.show_demo", "Demo library", id="first.demo"),
    ]

    def say(self, looked: Sequence[tuple[str, str, bool]], syncing: bool) -> None:
        """Fill the page.

        Args:
            looked: agent, place, whether the place exists.
            syncing: still looking.
        """
        title = "Looking for sessions…" if syncing else "No sessions found on this machine yet."
        lines = [Content.styled(title, "bold $primary"), Content("")]
        lines.append(Content.styled("Looked for", "$text-muted"))
        width = max((len(agent) for agent, _, _ in looked), default=0)
        for agent, place, there in looked:
            mark = ("✓ ", "$success") if there else ("· ", "$text-disabled")
            lines.append(
                Content.assemble(
                    mark, f"{clean_line(agent):<{width}}  ", (clean_line(place, 200), "$text-muted")
                )
            )
        lines += [
            Content(""),
            Content.assemble(("d", "bold $primary"), "  look around in a demo library"),
            Content.assemble(("q", "bold $primary"), "  quit"),
            Content(""),
            Content.styled(
                "Sessions kept elsewhere?  sparrow-tui PATH…  takes files and directories.",
                "$text-muted",
            ),
        ]
        self.update(Content("\n").join(lines))
