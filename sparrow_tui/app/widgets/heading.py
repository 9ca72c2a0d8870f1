"""What the transcript pane shows: title, agent, project, branch, model, time."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from sparrow_tui.app import clock
from sparrow_tui.app.widgets.kept_lines import KeptLines
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session


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
        facts = [Content.styled(self._look.label if self._look else session.agent, self._agent())]
        for fact in self._facts(session):
            facts.append(Content.styled(f"  {clean_line(fact)}", "$text-muted"))
        return line.append("\n").append(Content("").join(facts).truncate(width, ellipsis=True))

    def _agent(self) -> str:
        return self._look.color if self._look and self._look.color else "$secondary"

    def _facts(self, session: Session) -> list[str]:
        facts = [session.project or "", session.branch or "", session.model or ""]
        facts.append(clock.stamp(session.updated_at))
        facts.append(f"{session.turns:,} turn{'' if session.turns == 1 else 's'}")
        if session.source_gone:
            facts.append("source gone, kept here")
        return [fact for fact in facts if fact]
