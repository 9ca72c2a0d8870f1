"""STUB"""

from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class TranscriptView(Static, can_focus=True):
    class OpenChild(Message):
        def __init__(self, session_id):
            super().__init__()
            self.session_id = session_id

    current_turn = 0

    def open(self, session, at=None, hits=(), highlight=None):
        self.update(Content(f"{session.title} at {at} hits {hits}"))

    def turns_appended(self, n):
        pass
