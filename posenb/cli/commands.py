"""The verbs as commands: they read what was typed, call Python's verb and show the result."""

from __future__ import annotations

from collections.abc import Callable

from posenb.cli import (
    app_command,
    live_command,
    project_commands,
    run_commands,
    showing_commands,
    training_commands,
)

__all__ = ["COMMANDS"]

COMMANDS: dict[str, Callable[..., None]] = {
    "create": project_commands.create,
    "open": project_commands.open_,
    "add-videos": project_commands.add,
    "extract-frames": project_commands.extract,
    "check-labels": project_commands.check_labels,
    "train": run_commands.train,
    "watch": training_commands.watch,
    "stop-training": training_commands.stop,
    "evaluate": run_commands.evaluate,
    "quantise": run_commands.quantise,
    "analyze": run_commands.analyze,
    "live": live_command.live,
    "plot": showing_commands.plot,
    "labelled-video": showing_commands.label_video,
    "report": showing_commands.report,
    "demo": showing_commands.demo,
    "app": app_command.app,
}
