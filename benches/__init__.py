"""Benches: they measure and print a table; they assert nothing. `make bench`, or `python -m benches --help`."""
