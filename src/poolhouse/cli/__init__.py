"""The command line: a thin face over `poolhouse.open(book)`.

`main` is the console script. Heavy parts load inside the commands, so `--help` answers at once.
Exit codes: 0 done; 1 a promise does not hold (`verify`); 2 refused, with the reason; 3 a fault of
Poolhouse itself; 130 interrupted.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line of this process and exits with its code."""
    from poolhouse.cli.shell import run

    sys.exit(run(sys.argv[1:]))
