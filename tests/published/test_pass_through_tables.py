"""Pass-throughs month by month, as books print them.

* W. Berliner, F. Fabozzi, A. Bhattacharya, Measurement of Prepayments for Residential Mortgage-Backed Securities,
  tables 1 and 2: found in full. Its text quotes month 10 of a pool of 357 months beside the table's 358; both come out.
* R. Dubil, Financial Engineering and Arbitrage in the Financial Markets, section 9.3, tables 9.2 and 9.3: found in full
  (the book's title is from memory).
* F. Fabozzi, Capital Markets, 5th edition, chapter 30: text found, but for what is marked.
"""

from __future__ import annotations

import polars as pl
import pytest

from poolhouse.valuation import cashflows, speeds, yields

COLUMNS = (
    "balance",
    "scheduled_payment",
    "net_interest",
    "scheduled_principal",
    "prepayment",
    "principal",
    "cash_flow",
)
TABLE_1 = """
1 400,000,000 2,402,998 1,833,333 402,998 200,350 603,349 2,436,682
2 399,396,651 2,401,794 1,830,568 404,810 266,975 671,785 2,502,353
3 398,724,866 2,400,187 1,827,489 406,562 333,463 740,025 2,567,514
4 397,984,841 2,398,177 1,824,097 408,253 399,780 808,033 2,632,130
5 397,176,808 2,395,766 1,820,394 409,882 465,892 875,773 2,696,167
10 392,127,117 2,377,698 1,797,249 417,063 792,172 1,209,235 3,006,484
15 385,432,204 2,349,724 1,766,564 422,563 1,108,239 1,530,802 3,297,366
20 377,159,941 2,312,095 1,728,650 426,296 1,410,023 1,836,319 3,564,968
25 367,398,478 2,265,185 1,683,910 428,192 1,693,706 2,121,898 3,805,808
27 363,100,276 2,243,928 1,664,210 428,427 1,801,315 2,229,742 3,893,952
28 360,870,534 2,232,783 1,653,990 428,430 1,853,758 2,282,189 3,936,178
29 358,588,346 2,221,300 1,643,530 428,358 1,842,021 2,270,379 3,913,909
30 356,317,967 2,209,875 1,633,124 428,286 1,830,345 2,258,631 3,891,755
100 223,414,587 1,540,329 1,023,984 423,256 1,146,847 1,570,104 2,594,087
101 221,844,483 1,532,407 1,016,787 423,185 1,138,773 1,561,958 2,578,745
105 215,645,111 1,501,125 988,373 422,900 1,106,891 1,529,790 2,518,164
200 100,719,066 919,770 461,629 416,174 515,859 932,033 1,393,662
203 97,937,531 905,651 448,880 415,964 501,555 917,518 1,366,399
205 96,107,283 896,360 440,492 415,823 492,142 907,966 1,348,457
300 28,001,417 549,218 128,340 409,211 141,907 551,118 679,457
305 25,274,710 535,239 115,842 408,865 127,885 536,751 652,593
350 3,725,850 424,402 17,077 405,773 17,075 422,848 439,925
355 1,633,924 413,600 7,489 405,430 6,318 411,749 419,237
357 812,613 409,357 3,724 405,294 2,095 407,388 411,113
358 405,224 407,251 1,857 405,225 0 405,225 407,082
"""


def whole(text: str) -> list[list[float]]:
    return [[float(part.replace(",", "")) for part in line.split()] for line in text.strip().splitlines()]


def test_table_1_at_100_psa() -> None:
    """$400 million, 5.5% pass-through, WAC 6.0%, 358 months. All but balances to the dollar; those drift from ours by
    0.6 by month 100 and by -1.2 in the last month, where theirs is a dollar less than the principal that repays it."""
    frame = cashflows(400e6, 6.0, 5.5, 358, age=2, psa=100)
    for month, *printed in whole(TABLE_1):
        row = frame.row(int(month) - 1, named=True)
        for name, value in zip(COLUMNS, printed, strict=True):
            if name == "balance":
                assert abs(row[name] - value) < 1.2, (month, row[name])
            else:
                assert round(row[name]) == value, (month, name, row[name])


def test_the_texts_month_10_is_of_357_months() -> None:
    row = cashflows(400e6, 6.0, 5.5, 357, age=3, psa=100).row(9, named=True)
    assert (round(row["balance"]), round(row["scheduled_payment"])) == (391_508_422, 2_376_474)


TABLE_2 = """
1 0.080 0.007 0.99798 0.0067
2 0.100 0.008 0.99571 0.0083
5 0.160 0.013 0.98738 0.0132
10 0.260 0.022 0.96853 0.0210
15 0.360 0.030 0.94372 0.0284
20 0.460 0.038 0.91332 0.0351
25 0.560 0.047 0.87783 0.0411
26 0.580 0.048 0.87017 0.0422
27 0.600 0.050 0.86233 0.0432
28 0.600 0.050 0.85456 0.0428
30 0.600 0.050 0.83920 0.0421
100 0.192 0.016 0.43487 0.0069
103 0.163 0.014 0.42228 0.0057
105 0.144 0.012 0.41406 0.0050
200 0.030 0.003 0.14894 0.0004
205 0.030 0.003 0.14016 0.0004
300 0.030 0.003 0.03093 0.0001
301 0.030 0.003 0.03022 0.0001
353 0.030 0.003 0.00163 0.0000
356 0.030 0.003 0.00040 0.0000
"""


def test_table_2_standard_defaults_at_150_psa() -> None:
    """CDR, MDR, the factor at 150 PSA after the month and their product, 5.5% of 6.0%, 357 months; 2.75% together.

    The factor is one without defaults, as they define it. Rows after month 300 whose
    factor is at most 5 ten-millionths above a rounding limit (303, 305, 350, 355) are printed a unit lower and left
    out."""
    left = cashflows(1, 6.0, 5.5, 357, age=3, psa=150)["ending_balance"]
    cdr = [float(speeds.sda_to_cdr(100, month + 3)) for month in range(1, 358)]
    mdr = [float(speeds.cdr_to_mdr(rate)) for rate in cdr]
    for month, *printed in whole(TABLE_2):
        k = int(month) - 1
        found = (round(cdr[k], 3), round(mdr[k], 3), round(left[k], 5), round(mdr[k] * left[k], 4))
        assert found == tuple(printed), month
    assert round(sum(m * f for m, f in zip(mdr, left, strict=True)), 2) == 2.75


def test_speeds_of_the_text() -> None:
    """SMM of 100 and 165 PSA in months 5, 20 and 31; a pool of $10 million that prepays 20,000 and loses 15,000."""
    assert [round(float(speeds.psa_to_smm(psa, m)) / 100, 6) for psa in (100, 165) for m in (5, 20, 31)] == [
        0.000837, 0.003396, 0.005143, 0.001386, 0.005674, 0.008650,
    ]  # fmt: skip  # the last is printed 0.008282, but the 1 - 0.901^(1/12) beside it is 0.008650
    row = cashflows(10e6, 8, 8, 300, psa=0).row(0, named=True)
    assert (round(row["scheduled_payment"], 2), round(row["scheduled_principal"], 2)) == (77_181.62, 10_514.96)
    base = 10e6 - row["scheduled_principal"]
    prepaid, defaulted = 100 * 20_000 / base, 100 * 15_000 / base
    assert round(float(speeds.smm_to_cpr(prepaid)), 2) == 2.38  # printed 2.37: of the rounded 0.002
    assert round(float(speeds.smm_to_cpr(0.2)), 2) == 2.37 and round(float(speeds.mdr_to_cdr(0.15)), 2) == 1.79
    assert round(float(speeds.smm_to_cpr(prepaid + defaulted)), 2) == 4.12


DUBIL = {
    175: """
1 300,000,000.00 1,915,779.30 1,625,000.00 1,500,000.00 290,779.30 1,069,734.18 298,639,486.52
2 298,639,486.52 1,908,941.42 1,617,630.55 1,493,197.43 291,310.87 1,155,537.21 297,192,638.44
3 297,192,638.44 1,901,547.87 1,609,793.46 1,485,963.19 291,754.41 1,240,456.57 295,660,427.46
4 295,660,427.46 1,893,603.18 1,601,493.98 1,478,302.14 292,109.19 1,324,415.43 294,043,902.83
5 294,043,902.83 1,885,112.36 1,592,737.81 1,470,219.51 292,374.55 1,407,337.97 292,344,190.30
6 292,344,190.30 1,876,080.95 1,583,531.03 1,461,720.95 292,549.92 1,489,149.50 290,562,490.88
100 110,801,799.59 810,072.17 600,176.41 554,009.00 209,895.76 1,017,633.47 109,574,270.36
101 109,574,270.36 802,618.13 593,527.30 547,871.35 209,090.84 1,006,345.53 108,358,834.00
102 108,358,834.00 795,232.68 586,943.68 541,794.17 208,289.00 995,168.82 107,155,376.18
206 30,347,785.72 304,060.86 164,383.84 151,738.93 139,677.03 277,965.94 29,930,142.75
207 29,930,142.75 301,262.99 162,121.61 149,650.71 139,141.38 274,127.84 29,516,873.53
208 29,516,873.53 298,490.86 159,883.06 147,584.37 138,607.79 270,329.98 29,107,935.76
346 328,926.34 83,348.14 1,781.68 1,644.63 81,566.46 2,276.13 245,083.75
347 245,083.75 82,581.20 1,327.54 1,225.42 81,253.66 1,507.52 162,322.57
348 162,322.57 81,821.31 879.25 811.61 80,942.07 748.84 80,631.66
349 80,631.66 81,068.42 436.75 403.16 80,631.66 0.00 0.00
""",
    240: """
1 300,000,000.00 1,915,779.30 1,625,000.00 1,500,000.00 290,779.30 1,478,042.53 298,231,178.17
2 298,231,178.17 1,906,331.47 1,615,418.88 1,491,155.89 290,912.58 1,595,450.05 296,344,815.54
3 296,344,815.54 1,896,123.19 1,605,201.08 1,481,724.08 290,922.10 1,711,270.91 294,342,622.52
4 294,342,622.52 1,885,163.09 1,594,355.87 1,471,713.11 290,807.22 1,825,360.41 292,226,454.90
5 292,226,454.90 1,873,460.72 1,582,893.30 1,461,132.27 290,567.42 1,937,576.29 289,998,311.18
6 289,998,311.18 1,861,026.58 1,570,824.19 1,449,991.56 290,202.39 2,047,779.02 287,660,329.77
100 78,494,400.14 573,872.71 425,178.00 392,472.00 148,694.71 1,008,582.95 77,337,122.48
101 77,337,122.48 566,484.97 418,909.41 386,685.61 147,575.55 993,699.15 76,195,847.78
102 76,195,847.78 559,192.33 412,727.51 380,979.24 146,464.82 979,021.25 75,070,361.71
206 14,504,418.18 145,322.82 78,565.60 72,522.09 66,757.23 185,863.14 14,251,797.82
207 14,251,797.82 143,452.01 77,197.24 71,258.99 66,254.77 182,617.50 14,002,925.54
208 14,002,925.54 141,605.28 75,849.18 70,014.63 65,756.10 179,420.06 13,757,749.38
346 93,482.53 23,687.96 506.36 467.41 23,181.60 905.02 69,395.91
347 69,395.91 23,383.02 375.89 346.98 23,007.12 597.19 45,791.60
348 45,791.60 23,082.00 248.04 228.96 22,833.96 295.55 22,662.10
349 22,662.10 22,784.85 122.75 113.31 22,662.10 0.00 0.00
""",
}


@pytest.mark.parametrize("psa", DUBIL)
def test_dubil_to_the_cent(psa: int) -> None:
    """Tables 9.2 and 9.3: $300,000,000, 6.0% of 6.5%, 349 months, age 11."""
    frame = cashflows(300e6, 6.5, 6.0, 349, age=11, psa=psa)
    names = ("balance", "scheduled_payment", "gross_interest", "net_interest", "scheduled_principal", "prepayment",
             "ending_balance")  # fmt: skip
    for month, *printed in whole(DUBIL[psa]):
        row = frame.row(int(month) - 1, named=True)
        for name, value in zip(names, printed, strict=True):
            assert round(row[name], 2) == value, (month, name, row[name])


def test_dubil_negative_convexity() -> None:
    """At 240 PSA by a monthly yield 1 bp up and down, and at 5.5%; then at 300 PSA, for borrowers do answer."""

    def present(psa: float, monthly_yield: float) -> float:
        paid = yields.pool_flows(300e6, 6.5, 6.0, 349, age=11, psa=psa).cash_flow
        return float(sum(p / (1 + monthly_yield / 1200) ** k for k, p in enumerate(paid, 1)))

    up, down = present(240, 6.01), present(240, 5.99)
    assert (round(up, 2), round(down, 2)) == (299_861_602.97, 300_138_512.88)
    assert round((down - up) / (300e6 * 0.0002), 3) == 4.615
    assert (round(present(240, 5.5)), round(present(300, 5.5))) == (307_070_471, 306_101_402)


LIVES = {50: 15.11, 100: 11.66, 165: 8.76, 200: 7.68, 300: 5.63, 400: 4.44, 500: 3.68, 600: 3.16, 700: 2.78}


def test_fabozzi_average_lives_of_the_pass_through() -> None:
    """$400 million, 7.5% of 8.125%, 357 months: the list after table 30.2, nine speeds; as of five days after the first
    of the month, as those of CMO-1 (test_structures.py): no other number of days gives all nine."""
    found = {psa: yields.wal(yields.pool_flows(400e6, 8.125, 7.5, 357, psa=psa, settle_days=5)) for psa in LIVES}
    assert {psa: round(float(life), 2) for psa, life in found.items()} == LIVES


def test_fabozzi_principal_at_90_and_300_psa() -> None:
    """Table 30.7, columns 2 and 3, to the cent."""
    printed = {
        90: {1: 508_169.52, 6: 814_850.22, 12: 1_174_160.00, 18: 1_518_274.36, 101: 1_458_719.34, 105: 1_434_919.07,
             211: 949_482.58, 213: 942_601.99, 346: 618_684.59, 350: 612_292.88, 357: 601_489.39},
        300: {1: 1_075_931.20, 6: 2_083_227.31, 12: 3_224_472.44, 18: 4_231_334.57, 101: 1_510_072.17,
              105: 1_408_883.01, 211: 213_309.00, 213: 205_577.05, 346: 13_269.17, 350: 12_008.25, 357: 10_029.78},
    }  # fmt: skip
    for psa, months in printed.items():
        paid: pl.Series = cashflows(400e6, 8.125, 7.5, 357, psa=psa)["principal"]
        assert {month: round(paid[month - 1], 2) for month in months} == months


def test_fabozzi_month_100() -> None:
    """The worked line below table 30.1, 100 PSA: scheduled 332,928 (once misprinted 332,298), prepaid 1,187,608."""
    row = cashflows(400e6, 8.125, 7.5, 357, psa=100).row(99, named=True)
    assert [round(row[name]) for name in ("balance", "scheduled_principal", "prepayment")] == [
        231_249_776, 332_928, 1_187_608,
    ]  # fmt: skip
