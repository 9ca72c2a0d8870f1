"""Sparrow TUI: find, read, watch and keep the sessions of coding agents."""

__version__ = "0.1.0"
