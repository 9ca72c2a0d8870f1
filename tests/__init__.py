"""Tests, and the tools that show the app: one package, whatever else is called ``tests``."""
