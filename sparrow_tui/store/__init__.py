"""Our archive of sessions: its contract and its engines."""
