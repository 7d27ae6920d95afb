"""Prices of anyone's engine: the public layout to the best there is, hostile files line by line, every limit's key."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from poolhouse.execution.problem import Average, Comparability, Share, Total
from poolhouse.findings import Refused
from poolhouse.market.execute_offers import execute_offers
from poolhouse.market.limit_files import read_limits
from poolhouse.market.offer_columns import at_price, price_parts
from poolhouse.sale.terms import price_of

EXAMPLES = Path(__file__).parents[2] / "examples"
LOANS = """LoanID,Amount,FICO,DTI,HighBalFlag,PropState
A,"300,000.00",700,40.5,N,CA
B,"200,000",760,30,N,TX
C,"800,000.00",720,35.25,Y,CA
D,150000,640,45,N,NY
"""
POOLS = """"Pool Option, j",Pool Type,Pool Balance Type,Agency
1,Single-Issuer,Standard Balance,Fannie Mae
2,Multi-Issuer,Standard Balance,Freddie Mac
"""
OFFERS = """LoanID,"Pool Opton, j","Servicer, k","Price, P_ijk"
A,1,Alpha,101.25
A,2,Alpha,101.00
B,1,Alpha,102.00
B,2,Beta,101-16+
C,1,Beta,100.5
C,2,Alpha,100.75
D,1,Beta,99.125
D,2,Beta,99.50
"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Runs on files of these texts; without limits unless given."""

    def asked(limits: str = "", offers: Any = OFFERS, pools: Any = POOLS, loans: Any = LOANS, **more: Any) -> Any:
        paths: dict[str, Path] = {}
        for name, text in {"offers.csv": offers, "pools.csv": pools, "loans.csv": loans, "limits.toml": limits}.items():
            if text is not None:
                paths[name] = tmp_path / name
                paths[name].write_bytes(text if isinstance(text, bytes) else text.encode())
        return execute_offers(
            paths["offers.csv"], paths["pools.csv"], paths["limits.toml"], paths.get("loans.csv"),
            **{"seconds": 10.0, **more},
        )  # fmt: skip

    return asked


def _value(balance: str, price: str) -> int:
    return int((Decimal(balance) * Decimal(price)).quantize(Decimal(1), ROUND_HALF_UP))


FREE = sum(_value(*x) for x in (("300000", "101.25"), ("200000", "102.00"), ("800000", "100.75"), ("150000", "99.50")))


def test_without_limits_each_loan_takes_its_best(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "assignment.csv"
    answer = ask(out=out)
    assert (answer["proceeds_cents"], answer["bound_cents"], answer["gap"]) == (FREE, FREE, 0.0)
    assert answer["proceeds"] == FREE / 100 and answer["greedy_proceeds"] == FREE / 100
    assert answer["gain_over_greedy"]["cents"] == 0 and answer["pools_used"] == 2 and answer["loans"] == 4
    assert answer["rejected"] == [] and answer["notes"] == []
    rows = pl.read_csv(out, infer_schema=False)
    assert rows.select("loan", "pool", "servicer", "price", "balance", "proceeds", "given_up").rows() == [
        ("A", "1", "Alpha", "101.25", "300000.00", "303750.00", "0.00"),
        ("B", "1", "Alpha", "102.00", "200000.00", "204000.00", "0.00"),
        ("C", "2", "Alpha", "100.75", "800000.00", "806000.00", "0.00"),
        ("D", "2", "Beta", "99.50", "150000.00", "149250.00", "0.00"),
    ]
    assert rows["next_costs"].to_list() == ["750.00", f"{204000 - 203031.25:.2f}", "2000.00", "562.50"]
    assert {r["group"]: r["loans"] for r in answer["chosen"]["agency"]} == {"Fannie Mae": 2, "Freddie Mac": 2}


def test_a_limit_moves_the_cheapest_loan_and_is_told(ask: Ask) -> None:
    limits = '[[total]]\nname = "alpha"\nwhere = {servicer = "alpha"}\nmax = 600_000\n'
    answer = ask(limits)
    # of C (800,000) to Beta, or A alone can't leave Alpha: only C can go, for $2,000
    assert answer["proceeds_cents"] == FREE - 2_000_00
    (row,) = answer["limits"]
    assert (row["limit"], row["side"], row["value"], row["allowed"], row["room"]) == (
        "alpha", "max", 500_000.0, 600_000.0, 100_000.0,
    )  # fmt: skip
    assert answer["worth"] == ["one more $250,000 in alpha is worth $625.00"]  # 2,000 / 800,000 a dollar


def test_the_example_in_the_public_layout(tmp_path: Path) -> None:
    """Eighteen limits; the assignment is tested again by plain arithmetic."""
    desk = EXAMPLES / "desk"
    out = tmp_path / "a.csv"
    answer = execute_offers(
        desk / "EligiblePricingCombinations.csv", desk / "PoolOptionData.csv", EXAMPLES / "desk_limits.toml",
        desk / "LoanData.csv", out=out, seconds=6,
    )  # fmt: skip
    assert answer["loans"] == 60 and answer["rejected"] == [] and answer["notes"] == []
    assert answer["greedy_proceeds_cents"] <= answer["proceeds_cents"] <= answer["bound_cents"]
    assert {r["limit"] for r in answer["limits"]} == {f"c{k}" for k in range(1, 19)}
    loans = pl.read_csv(desk / "LoanData.csv").with_columns(
        pl.col("Amount").str.replace_all(",", "").cast(pl.Float64), pl.col("LoanID").alias("loan")
    )
    pools = pl.read_csv(desk / "PoolOptionData.csv").rename({"Pool Option, j": "pool"})
    rows = pl.read_csv(out).join(loans, on="loan").join(pools, on="pool")
    assert rows.height == 60 and float(rows["proceeds"].sum()) == pytest.approx(answer["proceeds"], abs=0.005)
    priced = pl.read_csv(desk / "EligiblePricingCombinations.csv")
    priced.columns = ["loan", "pool", "servicer", "offered"]
    matched = rows.join(priced, on=["loan", "pool", "servicer"])
    assert matched.height == 60 and (matched["offered"] == matched["price"]).all()
    _keeps_the_eighteen(rows)


def _keeps_the_eighteen(rows: pl.DataFrame) -> None:
    def mean(part: pl.DataFrame, column: str) -> float:
        return float((part[column] * part["Amount"]).sum() / part["Amount"].sum())

    def high(part: pl.DataFrame) -> float:
        return float(part.filter(pl.col("HighBalFlag") == "Y")["Amount"].sum() / part["Amount"].sum())

    def count(part: pl.DataFrame, column: str, value: str) -> float:
        return (part[column] == value).sum() / part.height

    alpha, beta = (rows.filter(pl.col("servicer") == s) for s in ("Alpha", "Beta"))
    fannie, freddie = (rows.filter(pl.col("Agency") == a) for a in ("Fannie Mae", "Freddie Mac"))
    for part in rows.filter(pl.col("Pool Balance Type") == "Standard Balance").partition_by("pool"):
        assert high(part) <= 0.10
    for part in rows.filter(pl.col("Pool Type") == "Single-Issuer").partition_by("pool"):
        assert part["Amount"].sum() >= 1_000_000
    assert alpha["Amount"].sum() <= 8_000_000 and beta["Amount"].sum() >= 7_000_000
    assert high(alpha) <= 0.11 and count(alpha, "PropState", "CA") <= 0.12
    assert mean(alpha, "FICO") >= 740 and mean(alpha, "DTI") <= 33.5
    assert mean(beta, "FICO") >= 734 and mean(beta, "DTI") <= 34
    assert count(beta, "Purpose", "Cash-Out Refi") <= 0.25 and count(beta, "PropOcc", "Primary Residence") >= 0.85
    for column, within in (("FICO", 10), ("DTI", 1.5)):
        assert abs(mean(fannie, column) - mean(freddie, column)) <= within
    for column in ("PropState", "PropOcc", "Purpose", "PropType"):
        for value in rows[column].unique():
            assert abs(count(fannie, column, value) - count(freddie, column, value)) <= 0.10


def test_the_best_of_all_assignments_by_brute_force(ask: Ask) -> None:
    limits = """
[[share]]
of = {high_balance = "Y"}
where = {pool = "2"}
max = 0.8
[[average]]
of = "FICO"
where = {agency = "Fannie Mae"}
min = 701.5
[[total]]
per = "Pool Option, j"
measure = "count"
min_if_used = 2
"""
    money = {"A": 300_000, "B": 200_000, "C": 800_000, "D": 150_000}
    score = {"A": 700, "B": 760, "C": 720, "D": 640}
    offers: dict[str, list[tuple[int, Fraction]]] = {}
    for line in OFFERS.splitlines()[1:]:
        name, pool, _, price = line.split(",")
        exact = Fraction(price_of("", price), 10**6) if "-" in price else Fraction(price)
        offers.setdefault(name, []).append((int(pool), exact))
    best = Fraction(0)
    for picks in itertools.product(*offers.values()):
        at = dict(zip(offers, picks, strict=True))
        in_pool = {p: [n for n, (q, _) in at.items() if q == p] for p in (1, 2)}
        second = sum(money[n] for n in in_pool[2])
        first = sum(money[n] for n in in_pool[1])
        if "C" in in_pool[2] and money["C"] > Fraction(8, 10) * second:
            continue
        if first and sum(money[n] * score[n] for n in in_pool[1]) < Fraction("701.5") * first:
            continue
        if any(len(members) == 1 for members in in_pool.values()):
            continue
        best = max(best, sum((money[n] * price for n, (_, price) in at.items()), Fraction(0)))
    answer = ask(limits)
    assert answer["proceeds_cents"] == answer["bound_cents"] == round(best)
    assert answer["proceeds_cents"] < FREE


# Values


def test_prices_are_read_and_multiplied_exactly() -> None:
    texts = ["101.25", "101-16", "101-16+", "99-31+", "0-01", "100", "101.847222222222", "101.84722222222222"]
    balances = [1, 33, 123_456_789_01, 9_999_999_999]
    parts = pl.DataFrame({"t": texts}).select(
        *(p.alias(n) for n, p in zip("hl", price_parts(pl.col("t")), strict=True))
    )
    for text, high, low in zip(texts, parts["h"], parts["l"], strict=True):
        if "." not in text:
            assert high == price_of("", text) and low == 0
        exact = Fraction(high, 10**6) + Fraction(low, 10**12)
        assert "-" in text or exact == Fraction(text[:16])  # twelve decimals
        for balance in balances:
            found = int(at_price(np.array([balance]), np.array([high]), np.array([low]))[0])
            assert found == (2 * balance * exact / 100 + 1) // 2, (text, balance)


@pytest.mark.parametrize(
    "text", ["", "-1", "NaN", "inf", "1e2", "101-32", "101-", "abc", "101,25", "200.01", "0", "$1"]
)
def test_what_is_no_price_is_rejected(ask: Ask, text: str) -> None:
    answer = ask(offers=OFFERS.replace("101.25", f'"{text}"'))
    (row,) = answer["rejected"]
    assert (row["file"], row["row"], row["field"], row["value"]) == ("offers.csv", 1, "price", text)
    assert row["rule"] and row["to_do"] and row["left_out"] == "line"
    assert answer["offers"] == 7 and answer["loans"] == 4


def test_dollars_in_place_of_prices(ask: Ask, tmp_path: Path) -> None:
    offers = 'loan,pool,servicer,value\nA,1,x,"303,750.505"\nA,2,x,303750.50\nB,1,x,-12.34\n'
    out = tmp_path / "a.parquet"
    answer = ask(offers=offers, out=out)
    assert answer["proceeds_cents"] == 303_750_51 - 12_34
    assert pl.read_parquet(out)["price"].to_list() == ["101.250170", "-0.006170"]
    assert (
        answer["unoffered"] == ["C", "D"] and "2 loans have no usable offer and are left out: C, D" in answer["notes"]
    )


def test_loans_columns_may_stand_in_the_offers(ask: Ask) -> None:
    offers = "loan,balance,score,pool,price\nA,1000,700,1,101\nA,1000,700,2,102\nB,2000,600,2,101\nB,2001,600,1,105\n"
    limits = '[[average]]\nof = "score"\nwhere = {pool = "2"}\nmax = 600\n'
    answer = ask(limits, offers=offers, loans=None)
    assert answer["proceeds_cents"] == 1010_00 + 2020_00
    (row,) = answer["rejected"]
    assert (row["row"], row["field"], row["value"]) == (4, "balance", "2001")
    with pytest.raises(Refused, match=r"no balance .*--loans"):
        ask(offers=OFFERS, loans=None)


# Files as they come


def test_hostile_lines_are_rejected_one_by_one(ask: Ask, tmp_path: Path) -> None:
    loans = LOANS + "A,1,1,1,N,CA\nE,,700,1,N,CA\nF,-5,700,1,N,CA\nG,NaN,1,1,N,CA\n,5,1,1,N,CA\nH,1e9,1,1,N,CA\nI,1\n"
    loans += "J,100000001,1,1,N,CA\nK,100,n/a,1,N,CA\n"
    pools = POOLS + "1,Multi-Issuer,x,y\n,Multi-Issuer,x,y\n"
    offers = (
        OFFERS + 'A,1,Alpha,150\nZ,1,Alpha,101\nA,9,Alpha,101\nE,1,Alpha,101\n,1,Alpha,101\nA,"1,Alpha,101\nK,1,x,100\n'
    )
    answer = ask('[[average]]\nof = "FICO"\nmax = 900\n', offers=offers, loans=loans, pools=pools,
                 rejects=tmp_path / "rejects.csv")  # fmt: skip
    found = {(r["file"], r["row"]): (r["field"], r["rule"]) for r in answer["rejected"]}
    bad = {("loans.csv", n) for n in range(5, 13)} | {("pools.csv", 3), ("pools.csv", 4)}
    bad |= {("offers.csv", n) for n in range(9, 15)} | {("loans.csv", 13)}
    assert set(found) == bad and len(answer["rejected"]) == len(bad)
    assert found["loans.csv", 5] == ("loan", "stands in row 1 already")
    assert found["offers.csv", 9] == ("pool", "this loan has this offer in row 1 already")
    assert found["offers.csv", 10] == ("loan", "no such loan in loans.csv")
    assert found["offers.csv", 11] == ("pool", "no such pool in pools.csv")
    assert found["offers.csv", 12] == ("loan", "its loan's own line in loans.csv is rejected")
    assert [r["left_out"] for r in answer["rejected"] if r["value"] == "n/a"] == ["value"]
    assert answer["loans"] == 5 and answer["proceeds_cents"] == FREE + 100_00
    assert pl.read_csv(tmp_path / "rejects.csv").height == len(bad)


def test_marks_line_ends_and_packing_change_nothing(ask: Ask, tmp_path: Path) -> None:
    import gzip

    plain = ask()
    other = ask(offers=gzip.compress(OFFERS.encode()), loans=b"\xef\xbb\xbf" + LOANS.replace("\n", "\r\n").encode())
    assert other["proceeds_cents"] == plain["proceeds_cents"] and other["rejected"] == []
    pl.read_csv(OFFERS.encode(), infer_schema=False).write_parquet(tmp_path / "o.parquet")
    assert ask(offers=(tmp_path / "o.parquet").read_bytes())["proceeds_cents"] == plain["proceeds_cents"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"offers": ""}, "is empty"),
        ({"offers": OFFERS.splitlines()[0] + "\n"}, "holds no offers"),
        ({"offers": "loan,pool\nA,1\n"}, "no column for the price"),
        ({"offers": "loan,price\nA,1\n"}, "no column for the pool"),
        ({"loans": "loan\nA\n"}, "no column for the balance"),
        ({"loans": "loan,amount,upb\nA,1,1\n"}, "both mean balance"),
        ({"pools": "agency\nx\n"}, "no column for the pool"),
        ({"offers": OFFERS.replace("\n", "\nX")}, "no usable offer.*9 lines.*row 1, loan 'XA': no such loan"),
        ({"offers": b"PAR1 and no more"}, "cut off"),
        ({"loans": "<xml/>"}, "is XML"),
        ({"limits": "[[total]\n"}, "not TOML"),
    ],
)
def test_files_that_are_none_are_refused(ask: Ask, files: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        ask(**files)


def test_pools_listed_for_each_servicer_are_one_pool(ask: Ask) -> None:
    pools = "pool,agency,servicer\n1,Fannie Mae,Alpha\n1,Fannie Mae,Beta\n2,Freddie Mac,Alpha\n"
    answer = ask(pools=pools)
    assert answer["pools"] == 2 and answer["proceeds_cents"] == FREE and answer["rejected"] == []
    assert "once for each servicer" in answer["notes"][0]


def test_places_that_cannot_be_written_are_refused_before_the_work(ask: Ask, tmp_path: Path) -> None:
    for out, says in (
        (tmp_path / "no" / "a.csv", "no folder"), (tmp_path / "a.txt", "name the file so"),
        (tmp_path / "offers.csv", "one of the files"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=says):
            ask(out=out)
    with pytest.raises(Refused, match="a file each"):
        ask(out=tmp_path / "a.csv", rejects=tmp_path / "a.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["limits.toml", "loans.csv", "offers.csv", "pools.csv"]


# Limits


def test_every_key_of_the_limits_reaches_the_optimiser() -> None:
    text = """
[assign]
loans = "any"
unassigned_price = 99.5
[[total]]
name = "t"
where = {FICO = {min = 700, max = 800, not = [750, 760]}, "loan.PropState" = ["CA", "TX"]}
per = "Pool Option, j"
min = 1_000.50
max = 2_000
min_if_used = 500
short_cost = 0.25
over_cost = 1
[[total]]
name = "n"
measure = "count"
min = 3
short_cost = 125.5
[[average]]
name = "a"
of = "DTI"
by = "count"
per = "agency"
where = {pool.agency = "x"}
min = 20.5
max = 36
[[share]]
name = "s"
of = {HighBalFlag = "Y"}
by = "count"
min = 0.1
max = 0.25
[[comparability]]
name = "c"
a = {agency = "x"}
b = {agency = "y"}
average = "FICO"
within = 2.5
[[comparability]]
name = "d"
a = {agency = "x"}
b = {agency = "y"}
share = {PropState = "CA"}
within = 0.02
[[comparability]]
name = "e"
a = {agency = "x"}
b = {agency = "y"}
each = "PropOcc"
by = "count"
within = 0.02
"""
    file = read_limits(text, "l.toml")
    x, y = {"agency": "x"}, {"agency": "y"}
    where = {"score": {"min": 700, "max": 800, "not": [750, 760]}, "loan.state": ["CA", "TX"]}
    assert file.assign == "any" and file.unassigned_price == Fraction("99.5")
    assert file.numbers == {"score", "dti"}
    assert file.limits == (
        Total(name="t", where=where, per="pool", min=Fraction(100_050), max=Fraction(200_000),
              min_if_used=Fraction(50_000), short_cost=Fraction("0.0025"), over_cost=Fraction("0.01")),
        Total(name="n", measure="count", min=Fraction(3), short_cost=Fraction(12_550)),
        Average(name="a", of="dti", by="count", per="agency", where={"pool.agency": "x"}, min=Fraction("20.5"),
                max=Fraction(36)),
        Share(name="s", of={"high_balance": "Y"}, by="count", min=Fraction("0.1"), max=Fraction("0.25")),
        Comparability(name="c", a=x, b=y, average="score", within=Fraction("2.5")),
        Comparability(name="d", a=x, b=y, share={"state": "CA"}, within=Fraction("0.02")),
        Comparability(name="e", a=x, b=y, each="occupancy", by="count", within=Fraction("0.02")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[totals]]\nmin = 1", "total may be meant"),
        ("[total]\nmin = 1", r"under a line \[\[total\]\]"),
        ("[[total]]\nmaxx = 1", "max may be meant"),
        ("[[total]]\nname = 'x'", "give min, max or min_if_used"),
        ("[[total]]\nmin = 2\nmax = 1", "min is above max"),
        ("[[total]]\nmin = -2", "below zero"),
        ("[[total]]\nmin = '5'", "number without quotes"),
        ("[[total]]\nmin = true", "number without quotes"),
        ("[[total]]\nmax = inf", "leave the key out"),
        ("[[total]]\nmeasure = 'loans'\nmin = 1", "balance or count"),
        ("[[total]]\nmeasure = 'count'\nmin = 1.5", "whole numbers"),
        ("[[total]]\nmax = 5\nshort_cost = 1", "give min too"),
        ("[[total]]\nmin = 1\n[[total]]\nname = 'total 1'\nmin = 1", "two limits"),
        ("[[average]]\nmin = 1", "of names the column"),
        ("[[average]]\nof = 'dti'", "give min, max or both"),
        ("[[share]]\nmin = 0.1", "of says what"),
        ("[[share]]\nof = {state = 'CA'}\nmin = 40", "write 0.4 for 40 percent"),
        ("[[share]]\nof = 'state'\nmin = 0.4", "table of conditions"),
        ("[[share]]\nof = {state = {least = 1}}\nmin = 0.4", "least is unknown"),
        ("[[comparability]]\na = {x = 1}\nb = {x = 2}\nwithin = 1", "one of average"),
        ("[[comparability]]\na = {x = 1}\nb = {x = 2}\nwithin = 2\neach = 'state'", "0.02 for 2 percent"),
        ("[[comparability]]\na = {x = 1}\nwithin = 1\naverage = 'dti'", "b says which group"),
        ("[[comparability]]\na = {x = 1}\nb = {x = 2}\naverage = 'dti'", "within says"),
        ("[assign]\nloans = 'some'", "all or any"),
        ("[assign]\nunassigned_price = 5", 'goes with loans = "any"'),
    ],
)
def test_senseless_limits_are_refused_with_their_place(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        read_limits(text, "l.toml")
    assert str(refused.value).startswith("l.toml: ")


BETA = "where = {servicer = 'Beta'}"
MISFITS = {
    "[[total]]\nwhere = {servicr = 'x'}\nmax = 1": "no column servicr .*servicer may be meant",
    "[[average]]\nof = 'fica'\nmax = 1": "no column fica",
    "[[average]]\nof = 'state'\nmax = 1": "column of words",
    "[[comparability]]\na = {pool = '1'}\nb = {pool = '2'}\naverage = 'state'\nwithin = 1": "column of words",
    "[[total]]\nwhere = {agency = {min = 1}}\nmax = 1": "column of words",
    "[[total]]\nper = 'nothing'\nmax = 1": "no column nothing",
    "[[comparability]]\na = {agency = 'Fannie Mae'}\nb = {pool = '1'}\neach = 'state'\nwithin = 1": "both groups",
    f"[[total]]\nname='big'\n{BETA}\nmin = 9_000_000": r"big can't be kept.*\$1,150,000.00, \$9,000,000",
    f"[[total]]\nmeasure='count'\n{BETA}\nmin = 4": r"total 1 can't be kept.*3 loans, 4 is",
    "[[total]]\nname='up'\nmin=1_000_000\nwhere={pool='1'}\n[[total]]\nname='down'\nmax=900_000\n"
    "where={agency='Fannie Mae'}": "can't all be kept.*(up|down)",
}


@pytest.mark.parametrize(("text", "says"), list(MISFITS.items()))
def test_limits_that_fit_no_file_or_each_other_are_refused(ask: Ask, text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        ask(text)


def test_a_value_that_no_offer_has_is_noted(ask: Ask) -> None:
    answer = ask("[[total]]\nname = 'x'\nwhere = {servicer = 'Alhpa'}\nmax = 1\n")
    assert answer["notes"] == ["limits.toml: x: no offer has servicer = Alhpa, Alpha may be meant"]
    assert answer["proceeds_cents"] == FREE


def test_numbers_in_quotes_and_codes_that_look_like_numbers(ask: Ask) -> None:
    pools = "pool,coupon,zip\n1,5.50,07030\n2,6.0,10001\n"
    answer = ask("[[total]]\nwhere = {coupon = '5.5', zip = '07030'}\nmax = 0\n", pools=pools)
    assert answer["notes"] == [] and {r["group"] for r in answer["used"]} == {"2"}


def test_loans_may_stay_at_their_own_price(ask: Ask, tmp_path: Path) -> None:
    text = "[assign]\nloans = 'any'\nunassigned_price = 99.75\n"
    answer = ask(text, loans=LOANS + "E,100,700,1,N,CA\n", out=tmp_path / "a.csv")
    assert answer["proceeds_cents"] == FREE + (149_625 - 149_250) * 100 + 99_75
    assert (
        answer["unassigned"] == 2
        and answer["unoffered"] == ["E"]
        and "1 loans have no usable offer and stay: E" in answer["notes"]
    )
    rows = pl.read_csv(tmp_path / "a.csv", infer_schema=False).rows(named=True)
    assert (rows[3]["pool"], rows[3]["proceeds"], rows[4]["proceeds"]) == (None, "149625.00", "99.75")


def test_a_missed_commitment_costs(ask: Ask) -> None:
    text = "[[total]]\nname = 'm'\nwhere = {pool = '1'}\nmin = 1_450_000\nshort_cost = 0.30\n"
    answer = ask(text)
    # all to pool 1: C costs 2,000 and saves 2,400; D costs 562.50 and saves 450
    assert answer["proceeds_cents"] == FREE - 2_000_00 - 450_00
