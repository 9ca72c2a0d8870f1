"""Run the program: ``python -m sparrow_tui``."""

from sparrow_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
