"""How keys are written for people, on the key line and the help page."""

from __future__ import annotations

NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "apostrophe": "'",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "comma": ",",
    "full_stop": ".",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "delete": "Del",
}


def key_name(key: str) -> str:
    """A key as people write it."""
    *modifiers, last = key.split("+")
    names = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt"}
    parts = [names.get(part, part) for part in modifiers]
    function = last[:1] == "f" and last[1:].isdecimal()
    return "+".join([*parts, NAMES.get(last, last.upper() if modifiers or function else last)])
