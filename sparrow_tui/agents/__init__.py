"""Readers of coding agents' files, one module per agent."""
