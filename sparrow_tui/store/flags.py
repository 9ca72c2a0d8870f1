"""What a turn has in it, as bits of a column."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """The ``flags`` column of a turn."""

    META = 1
    """Injected by the agent, not typed."""
    BRANCH = 2
    """On a branch the user rewound from."""
    TOOL_USE = 4
    TOOL_ERROR = 8
    EDIT = 16
    """Changes a file."""
    IMAGE = 32
    SUBAGENT = 64
    NOTICE = 128
    COMPACTION = 256
    API_ERROR = 512
    REASONING = 1024
    RAW = 2048
    PROMPT = 4096
    """Typed by the person."""
    BLANK = 8192
    """Nothing to show."""
