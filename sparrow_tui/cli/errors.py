"""What a command says when it cannot do what was asked."""

from __future__ import annotations


class UserError(Exception):
    """A mistake the user can mend; the message is one sentence."""

    def __init__(self, message: str, code: int = 1) -> None:
        """The sentence, and the exit code it leads to."""
        super().__init__(message)
        self.code = code
