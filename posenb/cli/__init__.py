"""The command line: the Python verbs under the same names."""
