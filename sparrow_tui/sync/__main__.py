"""Run the sync process: ``python -m sparrow_tui.sync``."""

from sparrow_tui.sync.process import main

if __name__ == "__main__":
    raise SystemExit(main())
