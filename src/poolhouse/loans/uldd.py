"""ULDD files, as lenders deliver loans to Fannie Mae and Freddie Mac (MISMO XML), read loan by loan.

A file is streamed: a DEAL is read and forgotten, so memory holds the wanted texts and never the tree.
No XML is trusted: a document type (and so every entity) is refused before the parser sees it, nothing
is fetched, and what stands between two loans may be neither long nor deep. A document that breaks off
is refused as a whole with its line; a bad loan in a good document is a reject like any row.
The data points are data: data/uldd.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import polars as pl
from lxml import etree

from poolhouse.findings import Refused
from poolhouse.loans.files import BROKEN_SCHEMA, Head, RawRows, open_bytes, read_bytes
from poolhouse.loans.layouts import described
from poolhouse.loans.mapping import Layout, field_of
from poolhouse.loans.notes import Notes, count, flagged

_PROLOG = 2**16
_MOST_PER_DEAL = 2**20
"""Bytes from the end of one DEAL to that of the next: a real one has a few ten thousand."""
_DEEPEST = 64
_MOST_NAMES = 10_000
"""Names of elements and attributes, each kept by the parser to the end: the whole of MISMO has fewer."""
_BATCH = 4_096
_ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")
_STATES = ("AtClosing", "Current", "AtModification")
FIRST_TIME = "LoanFirstTimeHomebuyer"


_Tree = dict[str, Any]
"""Qualified name of an element -> what is wanted below it; at a data point its place in the row."""


@dataclass(frozen=True)
class _Points:
    """Where the data points stand: in the DEAL itself, in its LOANs, in the PARTY of a role.

    `states`: for a data point of a LOAN, the state to take it from before others.
    """

    deal: _Tree
    loan: _Tree
    party: dict[str, _Tree]
    states: dict[int, str]
    width: int


def read(path: Path) -> tuple[Layout, RawRows]:
    """The layout and the rows of a ULDD file, a row per DEAL. Refused when it is no such file, or hostile."""
    layout = _layout(path)
    points = _points()
    names = [str(i) for i in range(points.width)]
    schema: dict[str, Any] = dict.fromkeys(names, pl.String)
    frames, batch, rows = [pl.DataFrame(schema=schema)], [], 0
    for texts in _deals(path, points):
        batch.append(texts)
        rows += 1
        if len(batch) == _BATCH:
            frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
            batch = []
    frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
    if not rows:
        raise Refused(f"{path} is a ULDD file without a DEAL: it delivers no loan")
    frame = pl.concat(frames).insert_column(0, pl.int_range(1, rows + 1, dtype=pl.Int64, eager=True).alias("tape_row"))
    return layout, RawRows(frame, pl.DataFrame(schema=BROKEN_SCHEMA), rows)


def _layout(path: Path) -> Layout:
    about = described("uldd")
    head = Head(path, "xml", tuple(spec["path"] for spec in about["points"].values()))
    specs = {name: {**spec, "column": spec["path"]} for name, spec in about["points"].items()}
    fields = [replace(field_of(head, n, s), position=i) for i, (n, s) in enumerate(specs.items())]
    return Layout("uldd", tuple(fields), tuple(about["layout"]["required"]))


def _points() -> _Points:
    """The paths of the data file, as trees."""
    specs = described("uldd")["points"]
    points = _Points({}, {}, {}, {}, len(specs))
    for place, spec in enumerate(specs.values()):
        found = re.fullmatch(r"(?:LOANS/(LOAN)|PARTIES/(PARTY))\[(\w+)\]/(.*)", spec["path"])
        if not found:
            tree, path = points.deal, spec["path"]
        elif found[1]:
            tree, path = points.loan, found[4]
            points.states[place] = found[3]
        else:
            tree, path = points.party.setdefault(found[3], {}), found[4]
        *steps, leaf = path.split("/")
        for step in steps:
            tree = tree.setdefault(_qualified(step), {})
        tree[_qualified(leaf)] = place
    return points


def _qualified(path: str) -> str:
    space = described("uldd")["namespaces"]["mismo"]
    return "/".join(f"{{{space}}}{step}" for step in path.split("/"))


class _Measured:
    """The file's bytes for the parser, refused when too many come between two finished DEALs."""

    def __init__(self, path: Path, file: IO[bytes], start: bytes) -> None:
        self._path, self._file, self._start = path, file, start
        self._read = self._mark = 0

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        size = min(size, _PROLOG)
        data, self._start = self._start[:size], self._start[size:]
        if not data:
            data = read_bytes(self._path, self._file, size)
        self._read += len(data)
        if self._read - self._mark > _MOST_PER_DEAL:
            raise Refused(
                f"{self._path}: more than {_MOST_PER_DEAL:,} bytes in one DEAL or outside of any: "
                "no delivered loan is as large, the file is not read"
            )
        return data

    def finished(self) -> None:
        """What was read so far has been forgotten."""
        self._mark = self._read


def _deals(path: Path, points: _Points) -> Iterator[list[str | None]]:
    """The texts of the data points, deal by deal."""
    with open_bytes(path) as file:
        start = read_bytes(path, file, _PROLOG)
        _check_prolog(path, start)
        source = _Measured(path, file, start)
        events = etree.iterparse(
            source, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            attribute_defaults=False, dtd_validation=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        try:
            yield from _walk(path, events, source, points)
        except etree.XMLSyntaxError as error:
            first = next(iter(events.error_log), None)
            line, message = (first.line, first.message.strip()) if first else (error.lineno, str(error))
            raise Refused(f"{path} is not well-formed XML at line {line}: {message}") from error


def _walk(path: Path, events: Any, source: _Measured, points: _Points) -> Iterator[list[str | None]]:
    deal, depth, inside = _qualified("DEAL"), 0, 0
    names: set[str] = set()
    for event, element in events:
        if event == "start":
            depth += 1
            _count_names(path, element, names)
            if depth == 1:
                _check_root(path, element)
            if depth > _DEEPEST:
                raise Refused(f"{path}: line {element.sourceline}: nested deeper than {_DEEPEST} elements")
            if element.tag == deal and not inside:
                inside = depth
            continue
        if depth == inside:
            yield _texts(element, points)
            source.finished()
            inside = 0
        if not inside:
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
        depth -= 1


def _count_names(path: Path, element: Any, names: set[str]) -> None:
    """Refused when there are more names than any vocabulary has: the parser forgets none of them."""
    if element.tag not in names:
        names.add(element.tag)
    if element.attrib:
        names.update(element.keys())
    if len(names) > _MOST_NAMES:
        raise Refused(
            f"{path}: line {element.sourceline}: more than {_MOST_NAMES:,} different names of elements and attributes: "
            "this is no ULDD file"
        )


def _check_prolog(path: Path, start: bytes) -> None:
    """What stands before the root: a declaration, comments, instructions, and nothing that could grow."""
    rest = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    declared = re.match(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']", rest)
    encoding = declared[1].decode("latin-1").lower() if declared else "utf-8"
    if encoding not in _ENCODINGS:
        raise Refused(f"{path}: its encoding {encoding[:30]!r} is not read: save it in UTF-8")
    while rest.startswith((b"<?", b"<!--")):
        end = b"?>" if rest.startswith(b"<?") else b"-->"
        _, found, rest = rest.partition(end)
        rest = rest.lstrip()
        if not found:
            raise Refused(f"{path}: no element in the first {len(start):,} bytes: this is no ULDD file")
    if rest.startswith(b"<!"):
        raise Refused(
            f"{path} declares a document type (DOCTYPE) or entities: a ULDD file has none, "
            "and such files are not read for safety"
        )
    root = re.match(rb"<(?:[\w.-]+:)?([\w.-]+)", rest)
    name = root[1].decode("latin-1")[:40] if root else ""
    if name != "MESSAGE":
        raise Refused(f"{path} is XML with root {name!r}: of XML only ULDD is read, whose root is MESSAGE")


def _check_root(path: Path, root: Any) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused(f"{path} declares a document type (DOCTYPE): such files are not read for safety")
    if root.tag != _qualified("MESSAGE"):
        space = described("uldd")["namespaces"]["mismo"]
        raise Refused(f"{path}: its MESSAGE is not of MISMO 3.0 (namespace {space}): this is no ULDD file")


_LOAN, _PARTY = _qualified("LOANS/LOAN"), _qualified("PARTIES/PARTY")
_STATE, _ROLE = _qualified("LOAN_STATE/LoanStateType"), _qualified("ROLES/ROLE/ROLE_DETAIL/PartyRoleType")


def _texts(deal: Any, points: _Points) -> list[str | None]:
    row: dict[int, str] = {}
    _collect(deal, points.deal, row)
    loans: dict[str, dict[int, str]] = {}
    for loan in deal.iterfind(_LOAN):
        if loan.get("LoanRoleType", "SubjectLoan") == "SubjectLoan":
            _collect(loan, points.loan, loans.setdefault((loan.findtext(_STATE) or _STATES[0]).strip(), {}))
    for place, state in points.states.items():
        for one in (state, *_STATES):
            if found := loans.get(one, {}).get(place):
                row[place] = found
                break
    for party in deal.iterfind(_PARTY):
        for role in party.iterfind(_ROLE):
            _collect(party, points.party.get((role.text or "").strip(), {}), row)
    return [row.get(place) for place in range(points.width)]


def _collect(element: Any, tree: _Tree, row: dict[int, str]) -> None:
    """The texts of the wanted elements below one; of several loan programs all, of borrowers' declarations a first-time
    buyer's, of anything else the first."""
    for child in element:
        below = tree.get(child.tag)
        if below is None:
            continue
        if isinstance(below, dict):
            _collect(child, below, row)
        elif child.text:
            if below not in row or (child.tag == _DECLARED and child.text.strip() in ("true", "1")):
                row[below] = child.text
            elif child.tag == _PROGRAM:
                row[below] += " " + child.text


_PROGRAM = _qualified("LoanProgramIdentifier")
_DECLARED = _qualified("BorrowerFirstTimeHomebuyerIndicator")


def convert(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Canonical columns from the usable rows of the working frame."""
    work = work.with_columns(pl.lit(0, pl.Int64).alias("imputed_flags"))
    for step in (_purpose, _property, _insurance, _income, _underwriting, _buyer):
        work = step(work, notes)
    return work


def _purpose(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """A refinance without a cash-out determination is a limited cash-out."""
    refinance = pl.col("loan_purpose") == "refinance"
    unsaid = refinance & pl.col("cash_out").is_null()
    notes.add("limited_cash_out_assumed", "purpose", count(work, unsaid), "refinance, limited cash-out assumed")
    purpose = (
        pl.when(refinance).then(pl.col("cash_out").fill_null("limited_cash_out")).otherwise(pl.col("loan_purpose"))
    )
    return work.with_columns(flagged(unsaid, "limited_cash_out_assumed"), purpose.alias("purpose"))


def _property(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Our one word for what MISMO says in four places. A row house outside a project counts as detached."""
    row_house = (pl.col("attachment") == "attached") & (pl.col("construction") != "manufactured").fill_null(True)
    row_house &= pl.col("project").is_null() & ~pl.col("pud").fill_null(False) & (pl.col("units").fill_null(1) == 1)
    word = (
        pl.when(pl.col("construction") == "manufactured").then(pl.lit("manufactured"))
        .when(pl.col("project").is_not_null()).then(pl.col("project"))
        .when(pl.col("pud")).then(pl.lit("pud"))
        .when(pl.col("units") > 1).then(pl.lit("two_to_four"))
        .when(pl.col("attachment").is_not_null()).then(pl.lit("detached"))
    )  # fmt: skip
    notes.add("attached_as_detached", "property_type", count(work, row_house), "attached house, read as detached")
    return work.with_columns(flagged(row_house, "other"), word.alias("property_type"))


def _insurance(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Empty is none. Coverage in whole percent; a part of a percent is not counted."""
    part = pl.col("mi_e4") % 100 != 0
    notes.add("mi_cut_off", "mi_pct", count(work, part), "insurance coverage cut to the whole percent")
    return work.with_columns((pl.col("mi_e4").fill_null(0) // 100).alias("mi_pct"), flagged(part, "other"))


def _income(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Income of twelve months; the debt ratio from debts over income where it is not stated."""
    income, debts = pl.col("month_income_cents"), pl.col("debts_cents")
    computed = pl.col("dti_e4").is_null() & debts.is_not_null() & (income > 0)
    notes.add("dti_computed", "dti_e4", count(work, computed), "debt ratio is monthly liabilities over monthly income")
    return work.with_columns(
        flagged(computed, "other"),
        pl.when(computed).then(debts * 10_000 // income).otherwise(pl.col("dti_e4")).alias("dti_e4"),
        (income * 12).alias("income_cents"),
    )


OTHER_SYSTEMS = {"TOTAL": "total", "GUS": "gus", "VA": "va_aus"}
"""What AutomatedUnderwritingSystemTypeOtherDescription says for systems that MISMO has no word for."""


def _underwriting(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Which system approved the loan, and how it is repaid."""
    other = pl.col("other_aus").str.to_uppercase().replace_strict(OTHER_SYSTEMS, default=None, return_dtype=pl.String)
    system = pl.when(pl.col("aus") == "other").then(other).otherwise(pl.col("aus"))
    unknown = system.is_null() & pl.col("aus").is_not_null()
    notes.add("underwriting_unknown", "underwriting", count(work, unknown), "underwriting system not known")
    kinds = ("interest_only", "balloon", "negative")
    repaid = pl.coalesce(pl.when(pl.col(k)).then(pl.lit(k)) for k in kinds)
    full = pl.all_horizontal((~pl.col(k)).fill_null(False) for k in kinds)
    return work.with_columns(
        pl.coalesce(system, pl.when(pl.col("manual")).then(pl.lit("manual"))).alias("underwriting"),
        pl.coalesce(repaid, pl.when(full).then(pl.lit("full"))).alias("amortization"),
    )


def _buyer(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """First-time buyers: the borrower's declaration, or the loan's program."""
    program = pl.col("first_time_program").str.contains(FIRST_TIME, literal=True)
    return work.with_columns(
        pl.when(program).then(True).otherwise(pl.col("first_time_buyer")).alias("first_time_buyer")
    )
