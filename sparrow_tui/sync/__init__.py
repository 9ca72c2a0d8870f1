"""Sources into the store: discovery, reading in worker processes, following."""
