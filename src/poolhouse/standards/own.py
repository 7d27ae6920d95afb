"""Users' own files: a program of their own, and a lender's overlays on others. docs/standards.md teaches both.

Both hold `[[rule]]` tables in the shipped rules' vocabulary. Reading judges the whole file and refuses it with the
place and the remedy: a rule misread would answer wrongly for every loan.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from poolhouse.findings import Refused
from poolhouse.rules import Rulebook
from poolhouse.rules.rulebook import PREFIX, Parameter, parameter
from poolhouse.standards.catalogue import CODES, FIRST_OWN, LAST_BIT, Program, program
from poolhouse.standards.common import KIND_BIT, kinds_of
from poolhouse.standards.verdict import Rule
from poolhouse.standards.vocabulary import spec
from poolhouse.standards.written import rule_of

KINDS = ("conventional", "fha", "va", "usda")
_PROGRAM_KEYS = {"name", "title", "kinds"}
_OVERLAY_KEYS = {"name", "programs"}
_FIRST_BIT = 3
"""Kind of loan, lien and rate type come before a program's own rules."""


@dataclass(frozen=True)
class Standards:
    """What a run judges by: the rulebook with users' rules in it, the programs, and the names of overlays."""

    rulebook: Rulebook
    programs: tuple[Program, ...]
    overlays: tuple[str, ...] = ()


def with_program(standards: Standards, text: str, where: str) -> Standards:
    """The standards and a user's program, read from a TOML file's text; `where` names the file in messages. Refused
    for a file that is no program."""
    content = _toml(text, where)
    head = _head(content, "program", _PROGRAM_KEYS, where)
    name = str(head["name"])
    if name in CODES or any(p.name == name for p in standards.programs):
        raise Refused(f"{where}: the name {name!r} is taken by another program: choose a new one")
    kinds = tuple(_words(head, "kinds", ["conventional"], where))
    for kind in kinds:
        if kind not in KINDS:
            raise Refused(f"{where}: kinds: {kind!r} is no kind of loan: use {', '.join(KINDS)}")
    code = max([FIRST_OWN - 1, *(p.code for p in standards.programs)]) + 1
    shared = tuple(
        replace(r, check=kinds_of(kinds, name)) if r.bit == KIND_BIT else r
        for r in program(CODES["nonqm"]).rules
        if r.bit < _FIRST_BIT
    )
    rules, limits = _rules(content, where, f"{PREFIX}{name}.", range(_FIRST_BIT, LAST_BIT + 1), (code,))
    own = Program(code, name, str(head.get("title", name)), kinds, (*shared, *rules))
    return replace(standards, rulebook=standards.rulebook.with_rules(limits), programs=(*standards.programs, own))


def with_overlays(standards: Standards, text: str, where: str) -> Standards:
    """The standards, their programs each with the overlay's rules added. An overlay can only add: nothing it says
    makes a loan eligible that the program refuses. Refused for a file that is no overlay."""
    content = _toml(text, where)
    head = _head(content, "overlay", _OVERLAY_KEYS, where)
    name = str(head["name"])
    known = {p.name for p in standards.programs} | set(CODES)
    if name in known or name in standards.overlays:
        raise Refused(f"{where}: the name {name!r} is taken by a program or another overlay: choose a new one")
    names = _words(head, "programs", [p.name for p in standards.programs], where)
    for word in names:
        if word not in known:
            raise Refused(f"{where}: programs: {word!r} is none of {', '.join(sorted(known))}")
    changed: list[Program] = []
    limits: dict[str, Parameter] = {}
    for one in standards.programs:
        if one.name in names:
            taken = {rule.bit for rule in one.rules}
            free = [bit for bit in range(LAST_BIT + 1) if bit > max(taken)]
            rules, limits = _rules(content, where, f"{PREFIX}{name}.", free, (one.code,))
            named = tuple(replace(r, name=f"{name}: {r.name}") for r in rules)
            one = replace(one, rules=(*one.rules, *named))
        changed.append(one)
    return Standards(standards.rulebook.with_rules(limits), tuple(changed), (*standards.overlays, name))


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOML errors, numbers too long to be read, lists without end
        raise Refused(f"{where} is no TOML file: {error}") from error


def _head(content: dict[str, Any], kind: str, keys: set[str], where: str) -> dict[str, Any]:
    head = content.get(kind)
    if not isinstance(head, dict) or not str(head.get("name", "")).strip():
        raise Refused(f"{where} lacks the table [{kind}] with a name")
    for key in head:
        if key not in keys:
            raise Refused(f"{where}: [{kind}]: {key!r} is no key: use {', '.join(sorted(keys))}")
    for key in content:
        if key not in (kind, "rule"):
            raise Refused(f"{where}: [{key}] is not known here: a file holds [{kind}] and [[rule]] tables")
    return head


def _words(head: dict[str, Any], key: str, otherwise: list[str], where: str) -> list[str]:
    """A list of words of the head."""
    found = head.get(key, otherwise)
    if not isinstance(found, list) or not found or not all(isinstance(word, str) for word in found):
        raise Refused(f"{where}: {key} = {found!r} is no list of words")
    return found


def _rules(
    content: dict[str, Any], where: str, prefix: str, bits: Sequence[int], programs: tuple[int, ...]
) -> tuple[list[Rule], dict[str, Parameter]]:
    """A file's rules with their bits, and their limits as parameters. A user's word is found, where it says so."""
    written = content.get("rule", [])
    if not written or not isinstance(written, list) or not all(isinstance(rule, dict) for rule in written):
        raise Refused(f"{where} has no [[rule]]")
    if len(written) > len(bits):
        raise Refused(f"{where} has {len(written)} rules; {len(bits)} fit")
    rules: list[Rule] = []
    limits: dict[str, Parameter] = {}
    for raw, bit in zip(written, bits, strict=False):
        judged = spec(raw, where, prefix=prefix)
        if judged.parameter in limits:
            raise Refused(f"{where}: rule {judged.name!r} stands twice")
        limits[judged.parameter] = parameter({**raw, "name": judged.parameter}, assumed=False)
        rules.append(rule_of(judged, bit, programs))
    return rules, limits
