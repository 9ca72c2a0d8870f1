"""The panes of the app; they talk by messages and never touch SQL."""
