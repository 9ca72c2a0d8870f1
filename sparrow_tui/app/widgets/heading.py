"""What the transcript pane shows: title, agent, project, branch, model, time."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from sparrow_tui.app import clock
from sparrow_tui.app.widgets.kept_lines import KeptLines
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session
from sparrow_tui.text.wrap import width_of


class Heading(KeptLines, Widget):
    """One or two lines above the transcript."""

    def __init__(self, *, present: clock.Clock = clock.now, id: str | None = None) -> None:
        super().__init__(id=id)
        self._present = present
        self._session: Session | None = None
        self._look: Look | None = None
        self._right = ""

    def show(self, session: Session | None, look: Look | None) -> None:
        """Change the session."""
        self._session, self._look = session, look
        self.refresh()

    def set_right(self, text: str) -> None:
        """Change what stands at the right end: match, position, unread turns."""
        if text != self._right:
            self._right = text
            self.refresh()

    def render(self) -> Content:
        """Title and facts, each cut to one line."""
        session = self._session
        if session is None:
            return Content("")
        width = max(self.content_size.width, 1)
        right = clean_line(self._right)
        title = clean_line(session.title) or "(no prompt)"
        room = max(8, width - len(right) - 1)
        first = Content.styled(title, "bold").truncate(room, ellipsis=True, pad=True)
        line = first.append(Content.styled(f" {right}", "$primary")) if right else first
        if self.content_size.height < 2:
            return line
        agent = clean_line(self._look.label if self._look else session.agent)
        facts = "".join(f"  {fact}" for fact in self._facts(session, width - width_of(agent)))
        second = Content.assemble((agent, self._agent()), (facts, "$text-muted"))
        return line.append("\n").append(second.truncate(width, ellipsis=True))

    def _agent(self) -> str:
        return self._look.color if self._look and self._look.color else "$secondary"

    def _facts(self, session: Session, room: int) -> list[str]:
        """Whole facts there is room for; those of the highest rank are left out first."""
        turns = f"{session.turns:,} turn{'' if session.turns == 1 else 's'}"
        gone = "source gone, kept here" if session.source_gone else ""
        ranked = [
            (0, end_of_path(clean_line(session.project or ""), room // 2)),
            (5, clean_line(session.branch or "")),
            (4, clean_line(session.model or "")),
            (2, clock.stamp(session.updated_at)),
            (3, turns),
            (1, gone),
        ]
        ranked = [(rank, fact) for rank, fact in ranked if fact]
        while sum(width_of(fact) + 2 for _, fact in ranked) > room and len(ranked) > 1:
            ranked.remove(max(ranked))
        return [fact for _, fact in ranked]


def end_of_path(path: str, room: int) -> str:
    """A path cut at its beginning, between two names, to a number of cells where it can be."""
    if width_of(path) <= room:
        return path
    names = path.split("/")
    while len(names) > 1 and width_of("/".join(names)) + 2 > room:
        del names[0]
    return "…/" + "/".join(names)
