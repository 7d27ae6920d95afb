"""`python -m poolhouse.cli`: the command line without the installed script."""

from __future__ import annotations

from poolhouse.cli import main

if __name__ == "__main__":
    main()
