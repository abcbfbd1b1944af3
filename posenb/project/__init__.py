"""A project is a folder behind a URL."""
