"""ULDD files: every data point both ways, hostile XML refused in constant memory, bad loans rejected alone."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sample_tapes import CANONICAL, csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import demo_tape, read_tape
from poolhouse.loans.mapping import VOCABULARY
from poolhouse.loans.uldd_write import _STAYS, document, left_behind
from poolhouse.tables import TAPE

SPACE = "http://www.mismo.org/residential/2009/schemas"
POINTS = tomllib.loads((files("poolhouse.loans") / "data" / "uldd.toml").read_text(encoding="utf-8"))["points"]
OPEN = f'<MESSAGE xmlns="{SPACE}"><DEAL_SETS><DEAL_SET><DEALS>'
CLOSE = "</DEALS></DEAL_SET></DEAL_SETS></MESSAGE>"
PROPERTY = "<COLLATERALS><COLLATERAL><PROPERTIES><PROPERTY>"
DEAL = (
    f"<DEAL>{PROPERTY}<ADDRESS><StateCode>IL</StateCode></ADDRESS><PROPERTY_DETAIL>"
    "<AttachmentType>Detached</AttachmentType><ConstructionMethodType>SiteBuilt</ConstructionMethodType>"
    "<FinancedUnitCount>1</FinancedUnitCount><PropertyUsageType>PrimaryResidence</PropertyUsageType></PROPERTY_DETAIL>"
    "</PROPERTY></PROPERTIES></COLLATERAL></COLLATERALS><LOANS>"
    '<LOAN LoanRoleType="RelatedLoan"><TERMS_OF_MORTGAGE><NoteAmount>1</NoteAmount></TERMS_OF_MORTGAGE></LOAN>'
    '<LOAN LoanRoleType="SubjectLoan">'
    "<LOAN_STATE><LoanStateType>AtClosing</LoanStateType></LOAN_STATE><LTV><LTVRatioPercent>80</LTVRatioPercent></LTV>"
    "<MATURITY><MATURITY_RULE><LoanMaturityPeriodCount>360</LoanMaturityPeriodCount>"
    "<LoanMaturityPeriodType>Month</LoanMaturityPeriodType></MATURITY_RULE></MATURITY>"
    "<QUALIFICATION><TotalLiabilitiesMonthlyPaymentAmount>3000.10</TotalLiabilitiesMonthlyPaymentAmount>"
    "<TotalMonthlyIncomeAmount>8000</TotalMonthlyIncomeAmount></QUALIFICATION>"
    "<TERMS_OF_MORTGAGE><LienPriorityType>FirstLien</LienPriorityType><LoanPurposeType>Purchase</LoanPurposeType>"
    "<MortgageType>Conventional</MortgageType><NoteAmount>320000</NoteAmount><NoteDate>2025-05-15</NoteDate>"
    "<NoteRatePercent>6.500</NoteRatePercent></TERMS_OF_MORTGAGE></LOAN>"
    '<LOAN LoanRoleType="SubjectLoan"><LOAN_IDENTIFIERS><LOAN_IDENTIFIER><MERS_MINIdentifier>1</MERS_MINIdentifier>'
    "</LOAN_IDENTIFIER><LOAN_IDENTIFIER><SellerLoanIdentifier>LN-1</SellerLoanIdentifier></LOAN_IDENTIFIER>"
    "</LOAN_IDENTIFIERS><LOAN_STATE><LoanStateType>Current</LoanStateType></LOAN_STATE><TERMS_OF_MORTGAGE>"
    "<NoteAmount>5</NoteAmount></TERMS_OF_MORTGAGE></LOAN></LOANS><PARTIES><PARTY><ROLES><ROLE><ROLE_DETAIL>"
    "<PartyRoleType>Servicer</PartyRoleType></ROLE_DETAIL></ROLE><PARTY_ROLE_IDENTIFIERS><PARTY_ROLE_IDENTIFIER>"
    "<PartyRoleIdentifier>77</PartyRoleIdentifier></PARTY_ROLE_IDENTIFIER></PARTY_ROLE_IDENTIFIERS></ROLES></PARTY>"
    "<PARTY><ROLES><ROLE><ROLE_DETAIL><PartyRoleType>LoanSeller</PartyRoleType></ROLE_DETAIL></ROLE>"
    "<PARTY_ROLE_IDENTIFIERS><PARTY_ROLE_IDENTIFIER><PartyRoleIdentifier>99</PartyRoleIdentifier>"
    "</PARTY_ROLE_IDENTIFIER></PARTY_ROLE_IDENTIFIERS></ROLES></PARTY></PARTIES></DEAL>\n"
)
GOOD = OPEN + DEAL + CLOSE


def _written(tape: pl.DataFrame) -> bytes:
    return "".join(document(tape)).encode()


def _row(folder: Path, text: str) -> dict[str, Any]:
    return read_tape(write(folder, text, "loans.xml")).tape.row(0, named=True)


def test_a_deal_as_lenders_write_it(tmp_path: Path) -> None:
    read = read_tape(write(tmp_path, GOOD))
    expected = {
        "loan_number": "LN-1", "originator_id": "99", "kind": "conventional", "note_amount_cents": 32_000_000,
        "note_rate_e7": 650_000, "term_months": 360, "note_date": date(2025, 5, 15), "purpose": "purchase",
        "first_due_date": date(2025, 7, 1), "occupancy": "principal", "units": 1, "property_type": "detached",
        "state": "IL", "ltv_e4": 8_000, "value_cents": 40_000_000, "dti_e4": 3_750, "income_cents": 9_600_000,
        "lien_position": 1, "mi_pct": 0, "underwriting": "", "amortization": "", "escrowed": None,
    }  # fmt: skip
    row = read.tape.row(0, named=True)
    assert {k: row[k] for k in expected} == expected
    assert (read.layout, read.rows, read.start_month) == ("uldd", 1, 2025 * 12 + 4)
    assert any(f.rule == "loans.dti_computed" for f in read.findings)


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("SiteBuilt", "Manufactured", "property_type", "manufactured"),
        (">Detached<", ">Attached<", "property_type", "detached"),
        ("<PROPERTY_DETAIL>", "<PROJECT><PROJECT_DETAIL><PUDIndicator>true</PUDIndicator></PROJECT_DETAIL></PROJECT>"
         "<PROPERTY_DETAIL>", "property_type", "pud"),
        ("<PROPERTY_DETAIL>", "<PROJECT><PROJECT_DETAIL><ProjectLegalStructureType>Condominium"
         "</ProjectLegalStructureType></PROJECT_DETAIL></PROJECT><PROPERTY_DETAIL>", "property_type", "condo"),
        ("Count>1<", "Count>3<", "property_type", "two_to_four"),
        (">Purchase<", ">Refinance<", "purpose", "limited_cash_out"),
        ("</MATURITY>", "</MATURITY><REFINANCE><RefinanceCashOutDeterminationType>CashOut"
         "</RefinanceCashOutDeterminationType></REFINANCE>", "purpose", "purchase"),
        ("</MATURITY>", "</MATURITY><LOAN_PROGRAMS><LOAN_PROGRAM><LoanProgramIdentifier>A</LoanProgramIdentifier>"
         "</LOAN_PROGRAM><LOAN_PROGRAM><LoanProgramIdentifier>LoanFirstTimeHomebuyer</LoanProgramIdentifier>"
         "</LOAN_PROGRAM></LOAN_PROGRAMS>", "first_time_buyer", True),
        ("</MATURITY>", "</MATURITY><MI_DATA><MI_DATA_DETAIL><MICoveragePercent>25.50</MICoveragePercent>"
         "<MIPremiumSourceType>Investor</MIPremiumSourceType></MI_DATA_DETAIL></MI_DATA>", "mi_pct", 25),
        ("FirstLien", "SecondLien", "lien_position", 2),
        ("320000<", "<![CDATA[320000]]><", "note_amount_cents", 32_000_000),
        ("320000<", "320&#48;00<", "note_amount_cents", 32_000_000),
        ("99<", "A &amp; B<", "originator_id", "A & B"),
    ],
)  # fmt: skip
def test_what_four_places_say_is_one_word(tmp_path: Path, old: str, new: str, field: str, value: Any) -> None:
    assert _row(tmp_path, GOOD.replace(old, new))[field] == value


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        (">320000<", ">x<", "note_amount_cents", "not a positive amount"),
        (">Conventional<", ">Other<", "kind", "no known code"),
        (">Month<", ">Year<", "term_period", "no known code: use month"),
        ("2025-05-15", "15.05.2025", "note_date", "not a date"),
        ("6.500", "65.00", "note_rate_e7", "outside 0.5% to 20%"),
        ("</MATURITY>", "</MATURITY><AMORTIZATION><AMORTIZATION_RULE><LoanAmortizationType>AdjustableRate"
         "</LoanAmortizationType></AMORTIZATION_RULE></AMORTIZATION>", "rate_type", "adjustable-rate"),
        (">99<", "><", "originator_id", "is empty"),
    ],
)  # fmt: skip
def test_a_bad_loan_is_rejected_alone_by_its_path(tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
    bad = DEAL.replace("LN-1", "LN-2").replace(old, new)
    third = DEAL.replace("LN-1", "LN-3")
    read = read_tape(write(tmp_path, OPEN + DEAL + bad + third + CLOSE))
    assert read.tape["loan_number"].to_list() == ["LN-1", "LN-3"] and read.tape["tape_row"].to_list() == [1, 3]
    found = read.rejects.filter(pl.col("field") == field).row(0, named=True)
    assert (found["row"], found["loan_number"], found["source_field"]) == (2, "LN-2", POINTS[field]["path"])
    assert reason in found["reason"]


def _borrower(first: str) -> str:
    return ("<PARTY><ROLES><ROLE><BORROWER><DECLARATION><DECLARATION_DETAIL><BorrowerFirstTimeHomebuyerIndicator>"
            f"{first}</BorrowerFirstTimeHomebuyerIndicator></DECLARATION_DETAIL></DECLARATION></BORROWER><ROLE_DETAIL>"
            "<PartyRoleType>Borrower</PartyRoleType></ROLE_DETAIL></ROLE></ROLES></PARTY>")  # fmt: skip


@pytest.mark.parametrize("said", [("false", "true", True), ("true", "false", True), ("false", "false", False)])
def test_one_first_time_buyer_among_several_is_enough(tmp_path: Path, said: tuple[str, str, bool]) -> None:
    parties = "<PARTIES>" + _borrower(said[0]) + _borrower(said[1])
    assert _row(tmp_path, GOOD.replace("<PARTIES>", parties))["first_time_buyer"] is said[2]


def test_a_deal_without_a_loan_is_a_reject(tmp_path: Path) -> None:
    read = read_tape(write(tmp_path, OPEN + "<DEAL/>" + DEAL + CLOSE))
    assert (read.tape.height, read.rows, set(read.rejects["row"])) == (1, 2, {1})


def test_the_same_file_in_other_clothes(tmp_path: Path) -> None:
    plain = read_tape(write(tmp_path, GOOD))
    prefixed = GOOD.replace("<", "<m:").replace("<m:/", "</m:").replace("xmlns=", "xmlns:m=")
    head = '<?xml version="1.0" encoding="{}"?>\n<!-- made by hand -->\n<?x y?>\n'
    for content in (
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("><", ">\r\n  <").encode(),
        gzip.compress(GOOD.encode()),
        prefixed.encode(),
        (head.format("UTF-8") + GOOD).encode(),
        (head.format("ISO-8859-1") + GOOD).encode("latin-1"),
    ):
        assert read_tape(write(tmp_path, content, "tape.csv")).content_hash == plain.content_hash


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-30], "not well-formed XML at line 2"),
        (GOOD.replace("</LTV>", ""), "not well-formed XML at line 1"),
        (GOOD.replace("320000", "&money;"), "not well-formed XML at line 1.*money"),
        (OPEN + CLOSE, "without a DEAL"),
        (GOOD.replace(SPACE, "urn:other"), "not of MISMO 3.0"),
        ("<html><body>sign in</body></html>", "XML with root 'html'"),
        ("<!DOCTYPE html><html></html>", "DOCTYPE"),
        ("<!DOCTYPE MESSAGE SYSTEM 'http://example.com/x.dtd'>" + GOOD, "DOCTYPE"),
        ("<!DOCTYPE MESSAGE [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + GOOD.replace("LN-1", "&x;"), "DOCTYPE"),
        ("<?xml version='1.0'?><!-- a --><!DOCTYPE MESSAGE [<!ENTITY x 'y'>]>" + GOOD, "DOCTYPE"),
        ("<?xml version='1.0' encoding='UTF-7'?>" + GOOD, "encoding 'utf-7'"),
        ("<!--" + "x" * 100_000 + "-->" + GOOD, "no element in the first"),
        ("<", "root ''"),
        (GOOD + "<x/>", "not well-formed XML"),
        (GOOD.replace("320000", "320\x00000"), "not well-formed XML"),
    ],
)
def test_no_uldd_file_or_a_hostile_one(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read_tape(write(tmp_path, content, "loans.xml"))


def test_a_mapping_has_nothing_to_map(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is XML, which has no columns to map"):
        read_tape(write(tmp_path, GOOD), 'loan_number = "x"')


def _laughs() -> Iterator[str]:
    yield "<!DOCTYPE MESSAGE [<!ENTITY a0 'ha'>"
    yield from (f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 30))
    yield "]>" + GOOD.replace("LN-1", "&a29;")


HOSTILE: dict[str, tuple[Any, str]] = {
    "laughs": (_laughs, "DOCTYPE"),
    "depth": (lambda: [OPEN, "<x>" * 1_000_000], "well-formed|nested"),
    "depth in a deal": (lambda: [OPEN, "<DEAL>", "<x>" * 1_000_000], "well-formed|nested"),
    "text": (lambda: [OPEN, "<DEAL><a>", *["x" * 2**20] * 300], "more than 1,048,576 bytes"),
    "attribute": (lambda: [OPEN, "<DEAL a='", *["x" * 2**20] * 300], "more than|well-formed"),
    "attributes": (lambda: [OPEN, "<DEAL ", *[f"a{i}='' " for i in range(2_000_000)]], "more than|well-formed"),
    "elements": (lambda: [OPEN, "<DEAL>", *["<a/>" * 2**18] * 100], "more than 1,048,576 bytes"),
    "cdata": (lambda: [OPEN, "<DEAL><a>", *["<![CDATA[" + "<" * 2**19 + "]]>"] * 300], "more than"),
    "comment": (lambda: [OPEN, "<!--", *["x" * 2**20] * 300], "more than|well-formed"),
    "trailer": (lambda: [GOOD, *["<!-- x -->" * 2**17] * 100], "more than"),
    "junk": (lambda: [OPEN, *["<a><b/></a>" * 2**16] * 20, CLOSE], "more than 1,048,576 bytes"),
    "little junk": (lambda: [OPEN, "<a><b/></a>" * 2**16, CLOSE], "without a DEAL"),
    "names": (lambda: [OPEN, *[f"<DEAL><a{i}/></DEAL>" for i in range(2_000_000)]], "different names"),
    "names of attributes": (lambda: [OPEN, *[f"<DEAL a{i}=''/>" for i in range(2_000_000)]], "different names"),
    "namespaces": (lambda: [OPEN, *[f"<DEAL><a xmlns='u{i}'/></DEAL>" for i in range(2_000_000)]], "different names"),
}

CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from poolhouse.findings import Refused
from poolhouse.loans import read_tape
read_tape(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        read_tape(path)
        print("read")
    except Refused as error:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(grown // 1024, str(error).replace("\\n", " "))
"""


def test_hostile_files_are_refused_in_constant_memory(tmp_path: Path) -> None:
    paths = [str(write(tmp_path, GOOD, "good.xml"))]
    for i, (pieces, _) in enumerate(HOSTILE.values()):
        path = tmp_path / f"{i}.xml"
        with gzip.open(path, "wt", compresslevel=1) as file:
            file.writelines(pieces())
        paths.append(str(path))
    done = subprocess.run([sys.executable, "-c", CHILD, *paths], capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    assert len(lines) == len(HOSTILE), done.stderr[-2_000:]
    for (name, (_, message)), line in zip(HOSTILE.items(), lines, strict=True):
        grown, _, text = line.partition(" ")
        assert grown.isdigit() and int(grown) < 100, (name, line)
        assert any(part in text for part in message.split("|")), (name, line)


def test_memory_stays_flat_over_many_loans(tmp_path: Path) -> None:
    """Ten times the loans: what is kept grows by their texts, not by their trees (some 40 kB a loan)."""
    grown = []
    for many in (2_000, 20_000):
        path = tmp_path / f"{many}.xml"
        with path.open("w") as file:
            file.write(OPEN)
            file.writelines(DEAL.replace("LN-1", f"LN-{i}") for i in range(many))
            file.write(CLOSE)
        code = (
            "import resource,sys;from poolhouse.loans import read_tape;r=read_tape(sys.argv[1]);"
            "print(r.tape.height, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss//1024)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        height, peak = map(int, done.stdout.split())
        assert height == many
        grown.append(peak)
    assert grown[1] - grown[0] < 150, grown


COMES_BACK = [n for n in TAPE.schema if n not in (*_STAYS, "tape_row", "imputed_flags")]


def test_the_real_tape_comes_back(tmp_path: Path) -> None:
    tape = read_tape(demo_tape()).tape.gather_every(29)
    back = read_tape(write(tmp_path, _written(tape), "back.xml"))
    assert (back.rows, back.rejects.height) == (tape.height, 0)
    for name in COMES_BACK:
        old, new = tape[name], back.tape[name]
        if name == "income_cents":
            assert ((old - new).abs().fill_null(0) <= 6).all() and (old.is_null() == new.is_null()).all()
        elif name == "property_type":
            clear = (tape["units"] > 1) == (tape["property_type"] == "two_to_four")
            assert old.filter(clear).equals(new.filter(clear))
        else:
            assert old.equals(new, null_equal=True), name
    told = {f.field: f.count for f in left_behind(tape)}
    assert told["county_fips"] == tape["county_fips"].is_not_null().sum()
    assert told["income_cents"] == (tape["income_cents"] % 12 != 0).sum()


def test_every_column_of_a_tape_comes_back_or_is_told(tmp_path: Path) -> None:
    cells = CANONICAL | {"lien_position": "1", "streamline": "true", "score": "700", "score_mid": "720"}
    for name, kind in TAPE.schema.items():
        if name in VOCABULARY:
            cells.setdefault(name, VOCABULARY[name][0])
        elif kind == pl.Boolean:
            cells.setdefault(name, "true")
        elif kind == pl.Date:
            cells.setdefault(name, "2009-04-01" if name == "first_due_date" else "2009-01-02")
        elif name in ("state", "originator_state"):
            cells.setdefault(name, "OH")
        elif name not in ("tape_row", "imputed_flags"):
            cells.setdefault(name, "39049" if name == "county_fips" else "3" if kind.is_integer() else "x")
    tape = read_tape(write(tmp_path, csv_of([cells]))).tape
    assert not [n for n in TAPE.schema if tape[n].null_count()]
    back = read_tape(write(tmp_path, _written(tape), "back.xml")).tape
    told = {f.field for f in left_behind(tape)}
    assert {n for n in COMES_BACK if not tape[n].equals(back[n])} <= told
    assert {n for n in _STAYS if not tape[n].equals(back[n])} <= told


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _words(name: str) -> st.SearchStrategy[Any]:
    return _maybe(st.sampled_from(VOCABULARY[name]))


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)
_NAME = _TEXT.map(lambda t: t.replace("\ufffe", "").replace("\uffff", "").strip()).filter(bool)
_DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))
LOAN = st.fixed_dictionaries(
    {
        "originator_name": _NAME, "originator_id": _NAME, "kind": st.sampled_from(VOCABULARY["kind"]),
        "note_amount_cents": st.integers(10**6, 10**9), "note_rate_e7": st.integers(50_000, 2_000_000),
        "term_months": st.integers(1, 480), "note_date": _DAYS, "purpose": _words("purpose"),
        "occupancy": _words("occupancy"), "state": _maybe(st.sampled_from(["OH", "CA"])),
        "property_type": st.sampled_from(["detached", "pud", "condo", "coop", "manufactured", "unknown"]),
        "value_cents": _maybe(st.integers(3, 1_000)), "ltv_e4": _maybe(st.integers(500, 20_000)),
        "cltv_e4": _maybe(st.integers(1, 100_000)), "score": _maybe(st.integers(300, 850)),
        "dti_e4": _maybe(st.integers(0, 100_000)), "income_cents": _maybe(st.integers(0, 10**8).map(lambda n: 12 * n)),
        "mi_pct": st.integers(0, 100), "mi_payer": _words("mi_payer"), "first_time_buyer": _maybe(st.booleans()),
        "borrowers": st.integers(1, 20), "curtailment_cents": st.integers(0, 9_999),
        "lien_position": _maybe(st.integers(1, 4)), "application_date": _maybe(_DAYS),
        "underwriting": _words("underwriting"), "amortization": _words("amortization"),
        "escrowed": _maybe(st.booleans()), "relocation": _maybe(st.booleans()), "buydown": _maybe(st.booleans()),
        "reserves_months": _maybe(st.integers(0, 600)), "paid_to_date": _maybe(_DAYS),
        "originator_state": _maybe(st.sampled_from(["NY", "TX"])),
    }
)  # fmt: skip


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(LOAN, min_size=1, max_size=5))
def test_random_tapes_come_back(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    loans = [row | {"loan_number": f"N{i}"} for i, row in enumerate(rows)]
    for loan in loans:  # drawn as tenths of the note
        loan["value_cents"] = loan["value_cents"] and loan["note_amount_cents"] * loan["value_cents"] // 10
    kinds = {n: TAPE.schema[n] for n in loans[0]}
    pl.DataFrame(loans, schema=kinds).write_parquet(tmp_path / "t.parquet")
    tape = read_tape(tmp_path / "t.parquet").tape
    back = read_tape(write(tmp_path, _written(tape), "back.xml"))
    assert back.rejects.height == 0
    for name in COMES_BACK:
        assert tape[name].equals(back.tape[name], null_equal=True), name
    assert _written(back.tape) == _written(tape)


def test_what_xml_cannot_hold_does_not_break_the_file(tmp_path: Path) -> None:
    tape = read_tape(write(tmp_path, csv_of([CANONICAL]))).tape
    odd = tape.with_columns(pl.lit("a\x01b]]><&\"'\uffff").alias("originator_name"))
    assert read_tape(write(tmp_path, _written(odd), "x.xml")).tape["originator_name"].to_list() == ["a?b]]><&\"'?"]


def test_every_data_point_is_marked_and_stands_once() -> None:
    assert {spec["confidence"] for spec in POINTS.values()} == {"found", "memory"}
    paths = [spec["path"] for spec in POINTS.values()]
    assert len(set(paths)) == len(paths)
