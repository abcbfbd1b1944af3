"""The program: its commands, and what it says when something is wrong."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import posenb
from posenb.cli import commands
from posenb.cli.noise import debugging, show_only_own
from posenb.cli.zoo import zoo
from posenb.errors import PosenbError, TrainingStoppedError

__all__ = ["app", "main"]

_HELP = """\
Markerless pose estimation in the notebook and the cloud.

The loop: create a project, add-videos, label frames, train, evaluate, analyze, look, \
correct what is wrong, train again. Each step can be stopped anywhere and run again. \
Folders and videos may be local paths or URLs such as gs://lab/reach.

To see it work: posenb demo
"""

_FAILED, _INTERRUPTED = 1, 130


class _Program(TyperGroup):
    """The commands, whose errors are one line on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn what goes wrong into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except TrainingStoppedError as error:
            _complain("stopped", str(error))
            raise typer.Exit(_INTERRUPTED) from error
        except PosenbError as error:
            if debugging():
                raise
            _complain("error", str(error))
            raise typer.Exit(_FAILED) from error
        except KeyboardInterrupt as error:
            _complain("stopped", "what is finished is kept; run the same command to go on.")
            raise typer.Exit(_INTERRUPTED) from error


app = typer.Typer(
    cls=_Program,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"posenb {posenb.__version__}")
        raise typer.Exit


@app.callback(help=_HELP)
def _posenb(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None: ...


for _name, _command in commands.COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(zoo, name="zoo")


def main() -> None:
    """Run the program on the arguments of the process; the console script calls it."""
    if not debugging():
        show_only_own()
        sys.excepthook = _report_unexpected
    # app() itself would put Typer's own hook in place of this one
    typer.main.get_command(app)(prog_name="posenb")


def _report_unexpected(
    kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    _complain("unexpected error", f"{kind.__name__}: {error} (POSENB_DEBUG=1 shows where)")


def _complain(what: str, message: str) -> None:
    typer.echo(f"posenb: {what}: {' '.join(message.split())}", err=True)
