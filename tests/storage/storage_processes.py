"""Other Python processes for the storage tests, some of which are killed."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager


def script(code: str, *arguments: str) -> list[str]:
    """Return the command that runs `code` with `arguments` as sys.argv[1:]."""
    return [sys.executable, "-c", textwrap.dedent(code), *arguments]


@contextmanager
def running(code: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Run `code` until it says 'ready'; kill it at the end, if it still lives."""
    process = subprocess.Popen(script(code, *arguments), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
