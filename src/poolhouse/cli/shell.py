"""Around every command: which error becomes which message and exit code, in text or JSON.

With `--json` exactly one JSON object reaches stdout whatever happens: the answer, or
`{"error": "..."}`. Without it, messages go to stderr and answers to stdout.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

DONE, PROMISE_BROKEN, REFUSED, FAULT, INTERRUPTED = 0, 1, 2, 3, 130

_INTERRUPTED_TEXT = (
    "interrupted: the book stands as the last finished step left it; the same command again goes on from there"
)


def run(arguments: Sequence[str]) -> int:
    """One command line to its exit code; nothing is raised."""
    as_json = "--json" in arguments
    try:
        code = _command(list(arguments) or ["--help"])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `poolhouse report | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return _fail(_INTERRUPTED_TEXT, INTERRUPTED, as_json)
    except Exception as error:
        return _failed(error, as_json)


def _command(arguments: list[str]) -> int:
    from typer.main import get_command

    from poolhouse.cli.app import app

    code = get_command(app).main(arguments, prog_name="poolhouse", standalone_mode=False)
    if code == INTERRUPTED:  # Typer turns the interrupt of a command into this code
        raise KeyboardInterrupt
    return code if isinstance(code, int) else DONE


def _failed(error: Exception, as_json: bool) -> int:
    """The message of an error meant for the user, or the traceback of one that isn't."""
    usage = getattr(error, "format_message", None)
    if usage is not None:  # the command line itself was wrong: an unknown option, a missing file
        context = getattr(error, "ctx", None)
        hint = f"\n{context.get_usage()}\nTry: {context.command_path} --help" if context and not as_json else ""
        return _fail(f"{usage()}{hint}", REFUSED, as_json)
    if isinstance(error, OSError):
        return _fail(_file_trouble(error), REFUSED, as_json)
    findings = sys.modules.get("poolhouse.findings")  # never loaded: nothing can have been refused
    if findings is not None and isinstance(error, findings.Refused):
        return _fail(str(error), REFUSED, as_json)
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    return _fail(f"a fault of Poolhouse, please report it: {type(error).__name__}: {error}", FAULT, as_json)


def _file_trouble(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _fail(message: str, code: int, as_json: bool) -> int:
    if as_json:
        print(dumps({"error": message}), flush=True)
    else:
        print(f"poolhouse: {message}", file=sys.stderr)
    return code


def dumps(answer: dict[str, Any]) -> str:
    """One JSON object on one line; a date as text; NaN refused."""
    return json.dumps(answer, default=str, ensure_ascii=False, allow_nan=False)
