"""The command line: the Python verbs under the same names."""

from posenb.cli.app import app, main

__all__ = ["app", "main"]
