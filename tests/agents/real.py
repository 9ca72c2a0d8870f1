"""Real sessions, where there are some: a corpus of them beside the checkout, or wherever told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _find() -> Path | None:
    """The folder with the corpus' ``INDEX.json``."""
    told = os.environ.get("SPARROW_TUI_CORPUS")
    if told:
        return Path(told)
    beside = Path(__file__).resolve().parents[3]
    return next((index.parent for index in sorted(beside.glob("*/corpus/INDEX.json"))), None)


CORPUS = _find()
needs_corpus = pytest.mark.skipif(CORPUS is None, reason="needs real sessions")


def found_real(*patterns: str) -> list[Path]:
    """The corpus' files that fit a pattern; without any, the test is skipped."""
    found = [path for pattern in patterns if CORPUS for path in sorted(CORPUS.glob(pattern))]
    if not found:
        pytest.skip("needs real sessions")
    return found
