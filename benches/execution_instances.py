"""Instances for the optimiser: a desk's pricing-engine export, and a tape's offers, made from a seed.

Prices hang together as real ones do: a loan's note rate opens three coupons, each story pool pays up for its story, a
single-issuer pool a little more, the two agencies lie close, servicing bids follow the loan. Noise of single loans is
small, so that many pools are near ties; pool minimums, servicers' limits and comparability bind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from poolhouse.execution.problem import Average, Comparability, Problem, Share, Total

STATES = [
    "CA", "TX", "FL", "NY", "PA", "IL", "OH", "GA", "NC", "MI", "NJ", "VA", "WA", "AZ", "MA", "TN", "IN", "MO", "MD",
    "WI", "CO", "MN", "SC", "AL", "LA", "KY", "OR", "OK", "CT", "UT", "IA", "NV", "AR", "MS", "KS", "NM", "NE", "ID",
    "WV", "HI", "NH", "ME", "MT", "RI", "DE", "SD", "ND", "AK", "DC", "VT", "WY",
]  # fmt: skip
TYPES = ["SFR", "PUD", "Condo", "2-4 Unit", "Manufactured"]
STANDARD = ("Generic", "Texas", "Florida", "New York", "Investor", "High LTV", "Low FICO")
STORIES = {  # name: (payup per 100, condition)
    "Generic": 0.0, "LLB 110k": 0.9, "MLB 125k": 0.75, "HLB 150k": 0.6, "LB 175k": 0.5, "LB 200k": 0.4, "LB 225k": 0.3,
    "Low FICO": 0.25, "Investor": 0.45, "New York": 0.35, "Texas": 0.2, "Florida": 0.25, "High LTV": 0.15,
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """How large, and how tight."""

    loans: int = 3_500
    coupons: int = 8
    offers: int = 46_000
    seed: int = 1
    single_min_dollars: int = 1_000_000
    tight: float = 1.0  # less is tighter


def _loans(rng: np.random.Generator, n: int) -> pl.DataFrame:
    amount = np.clip(np.exp(rng.normal(12.4, 0.55, n)), 40_000, 1_100_000).round(-2)
    weights = np.array([1 / (k + 2) ** 0.9 for k in range(len(STATES))])
    purpose = rng.choice(["Purchase", "Cash-Out Refi", "Rate/Term Refi"], n, p=[0.5, 0.22, 0.28])
    return pl.DataFrame(
        {
            "loan": np.arange(1, n + 1),
            "balance_cents": (amount * 100).astype(np.int64),
            "score": np.clip(rng.normal(745, 45, n), 620, 830).astype(np.int64),
            "dti": np.clip(rng.normal(36, 8, n), 8, 50).round(2),
            "high_balance": np.where(amount > 647_200, "Y", "N"),
            "occupancy": rng.choice(["Primary Residence", "Second Home", "Investment"], n, p=[0.87, 0.04, 0.09]),
            "state": rng.choice(STATES, n, p=weights / weights.sum()),
            "property_type": rng.choice(TYPES, n, p=[0.6, 0.24, 0.1, 0.04, 0.02]),
            "purpose": purpose,
            "ltv": np.clip(rng.normal(75, 15, n), 20, 97),
            "rate": rng.normal(0, 1, n),
        }
    )  # fmt: skip


def desk(shape: Desk = Desk()) -> Problem:
    """A desk's instance: single- and multi-issuer pools of two agencies, three servicers, eighteen limits."""
    rng = np.random.default_rng(shape.seed)
    loans = _loans(rng, shape.loans)
    pools = pl.DataFrame(
        [
            {"pool": f"{a[:2]}-{t[:2]}-{s}-{c}", "pool_type": t, "agency": a, "story": s, "coupon": c,
             "balance_type": _balance_type(s)}
            for a in ("Fannie Mae", "Freddie Mac")
            for t in ("Single-Issuer", "Multi-Issuer")
            for s in [*STORIES, "Jumbo"]
            for c in range(shape.coupons)
        ]
    )  # fmt: skip
    offers = _offers(rng, shape, loans, pools)
    return Problem(loans.drop("ltv", "rate"), offers, pools, _desk_limits(shape, loans, offers, pools))


def _balance_type(story: str) -> str:
    if story == "Jumbo":
        return "High Balance"
    return "Standard Balance" if story in STANDARD else "Low Balance"


def _fits(loans: pl.DataFrame) -> dict[str, np.ndarray]:
    amount, n = loans["balance_cents"].to_numpy() / 100, loans.height
    caps = {
        "LLB 110k": 110e3,
        "MLB 125k": 125e3,
        "HLB 150k": 150e3,
        "LB 175k": 175e3,
        "LB 200k": 200e3,
        "LB 225k": 225e3,
    }
    fits = {name: amount <= cap for name, cap in caps.items()}
    fits["Generic"] = np.ones(n, bool)
    fits["Jumbo"] = loans["high_balance"].to_numpy() == "Y"
    fits["Low FICO"] = loans["score"].to_numpy() < 700
    fits["High LTV"] = loans["ltv"].to_numpy() > 90
    fits["Investor"] = loans["occupancy"].to_numpy() == "Investment"
    for story, state in (("New York", "NY"), ("Texas", "TX"), ("Florida", "FL")):
        fits[story] = loans["state"].to_numpy() == state
    return fits


def _offers(rng: np.random.Generator, shape: Desk, loans: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    fits = _fits(loans)
    place = np.clip((loans["rate"].to_numpy() * 1.3 + shape.coupons / 2), 0.0, shape.coupons - 1.01)
    story, coupon = pools["story"].to_numpy(), pools["coupon"].to_numpy()
    single = (pools["pool_type"] == "Single-Issuer").to_numpy()
    fannie = (pools["agency"] == "Fannie Mae").to_numpy()
    base = 98 + 1.1 * np.arange(shape.coupons) + rng.normal(0, 0.15, shape.coupons)
    payup = np.array([STORIES.get(s, -0.4) for s in story]) * rng.uniform(0.7, 1.3, len(story))
    pool_price = (
        base[coupon] + payup + single * rng.normal(0.08, 0.05, len(story)) + fannie * rng.normal(0.03, 0.06, len(story))
    )
    score, amount = loans["score"].to_numpy(), loans["balance_cents"].to_numpy() / 100
    srp = {
        "Retained": 0.9 + 0.0005 * (score - 740),
        "Alpha": 0.93 + 0.0008 * (score - 740) + 0.05 * np.log(amount / 250e3),
        "Beta": 0.91 - 0.0002 * (score - 740) + 0.08 * np.log(amount / 250e3),
    }
    loan, pool, servicer, price = [], [], [], []
    for j in range(pools.height):
        gap = place - coupon[j]
        rows = np.flatnonzero(fits[story[j]] & (gap >= -0.6) & (gap < 1.7))
        strip = -0.9 * np.maximum(gap[rows], 0) * 0 + 0.85 * gap[rows]
        noise = rng.normal(0, 0.03, len(rows))
        for name, values in srp.items():
            keep = rng.random(len(rows)) < 0.8
            loan.append(rows[keep])
            pool.append(np.full(keep.sum(), j))
            servicer.append(np.full(keep.sum(), name))
            price.append((pool_price[j] + strip + noise + values[rows] + rng.normal(0, 0.02, len(rows)))[keep])
    frame = pl.DataFrame(
        {
            "loan": np.concatenate(loan),
            "pool": np.concatenate(pool),
            "servicer": np.concatenate(servicer),
            "price": np.concatenate(price).round(4),
        }
    )
    # every loan keeps its generic offers first, the rest by chance, up to the wanted number
    pick = rng.random(frame.height) - 0.5 * (np.isin(story[frame["pool"].to_numpy()], ["Generic"]))
    frame = frame.with_columns(pick=pick).with_columns(first=pl.col("pick").rank("ordinal").over("loan") <= 4)
    frame = frame.sort("first", "pick", descending=[True, False]).head(shape.offers).sort("loan", "pool", "servicer")
    cents = (loans["balance_cents"].to_numpy()[frame["loan"].to_numpy()] * frame["price"].to_numpy() / 100).round()
    return frame.select("loan", "pool", "servicer", value_cents=pl.Series(cents.astype(np.int64)))


def _desk_limits(shape: Desk, loans: pl.DataFrame, offers: pl.DataFrame, pools: pl.DataFrame) -> tuple:
    """Eighteen limits. Levels stand near what the loans are on average, so that many of them bind."""
    b = loans["balance_cents"].to_numpy()
    whole = int(b.sum())
    score = float(np.average(loans["score"].to_numpy(), weights=b))
    dti = float(np.average(loans["dti"].to_numpy(), weights=b))

    def fraction(column: str, value: str) -> float:
        return float((loans[column] == value).mean())

    cash_out, primary = fraction("purpose", "Cash-Out Refi"), fraction("occupancy", "Primary Residence")
    high = float(b[(loans["high_balance"] == "Y").to_numpy()].sum() / whole)
    t = shape.tight
    alpha, beta = {"servicer": "Alpha"}, {"servicer": "Beta"}
    fannie, freddie = {"agency": "Fannie Mae"}, {"agency": "Freddie Mac"}
    each = [Comparability(name=f"c{15 + k} {c}", a=fannie, b=freddie, each=c, by="count", within=round(0.02 * t, 4))
            for k, c in enumerate(("state", "occupancy", "purpose", "property_type"))]  # fmt: skip
    return (
        Share(name="c1", of={"high_balance": "Y"}, where={"balance_type": "Standard Balance"}, per="pool", max=0.1),
        Total(name="c2", where={"pool_type": "Single-Issuer"}, per="pool", min_if_used=shape.single_min_dollars * 100),
        Total(name="c3", where=alpha, max=int(whole * 0.35)),
        Share(name="c4", of={"high_balance": "Y"}, where=alpha, max=round(high * 0.9, 4)),
        Average(name="c5", of="score", where=alpha, min=round(score + 2, 1)),
        Average(name="c6", of="dti", where=alpha, max=round(dti - 0.2, 2)),
        Share(name="c7", of={"state": "CA"}, where=alpha, by="count", max=round(fraction("state", "CA") * 0.9, 4)),
        Total(name="c8", where=beta, min=int(whole * 0.3)),
        Average(name="c9", of="score", where=beta, min=round(score - 2, 1)),
        Average(name="c10", of="dti", where=beta, max=round(dti, 2)),
        Share(name="c11", of={"purpose": "Cash-Out Refi"}, where=beta, by="count", max=round(cash_out, 4)),
        Share(name="c12", of={"occupancy": "Primary Residence"}, where=beta, by="count", min=round(primary, 4)),
        Comparability(name="c13", a=fannie, b=freddie, average="score", within=round(2 * t, 4)),
        Comparability(name="c14", a=fannie, b=freddie, average="dti", within=round(0.4 * t, 4)),
        *each,
    )  # fmt: skip
