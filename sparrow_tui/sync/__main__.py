"""Run the sync process: ``python -m sparrow_tui.sync``."""

if __name__ == "__main__":  # worker processes import this module, too, and need nothing of it
    from sparrow_tui.sync.process import main

    raise SystemExit(main())
