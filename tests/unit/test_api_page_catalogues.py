"""The messages of the page: every one in both languages, every one used, every one that is used there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from math import nan
from pathlib import Path

import analytics.situations
import api
from analytics.evidence import comparison, evidence
from analytics.settings import things_of
from analytics.snapshot import reader
from sensors.catalogue import shipped_catalogue
from sensors.kind import Kinds, load_kinds
from sensors.level import Abnormality
from sensors.payload import Reason

PAGE = Path(api.__file__).parent / "page"
SITUATIONS = Path(analytics.situations.__file__).parent
CODE = "".join(
    path.read_text()
    for path in [*sorted((PAGE / "js").glob("*.js")), PAGE / "index.html"]
    if "messages-" not in path.name
)
# Names and abbreviations that are the same word in both languages.
SAME = 0.25


def catalogue(language: str) -> dict[str, str]:
    return first(language) | messages(f"story-messages-{language}.js")


def first(language: str) -> dict[str, str]:
    """What the first paint needs; the rest comes with the first page of one thing."""
    return messages(f"messages-{language}.js")


def messages(file: str) -> dict[str, str]:
    lines = (PAGE / "js" / file).read_text()
    return dict(re.findall(r'^  "?([\w.]+)"?: "(.*)",$', lines, re.MULTILINE))


def placeholders(message: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", message))


def test_each_message_is_in_both_languages_with_the_same_values() -> None:
    french, english = catalogue("fr"), catalogue("en")
    assert french.keys() == english.keys()
    assert len(french) > 150
    differing = [key for key in french if placeholders(french[key]) != placeholders(english[key])]
    assert differing == []


def test_messages_are_translated() -> None:
    french, english = catalogue("fr"), catalogue("en")
    assert all(french.values())
    assert sum(french[key] == english[key] for key in french) < SAME * len(french)


def test_no_message_is_unused() -> None:
    computed = set(re.findall(r"`([\w.]+\.)\$\{", CODE))
    unused = [key for key in catalogue("en") if f'"{key}"' not in CODE and not any(key.startswith(p) for p in computed)]
    assert unused == []


def test_no_message_is_missing() -> None:
    asked = set(re.findall(r'\bt\(\s*"([\w.]+)"', CODE)) | set(re.findall(r'data-(?:text|title)="([\w.]+)"', CODE))
    assert asked - catalogue("en").keys() == set()


def modules_of_the_first_paint() -> set[str]:
    found: set[str] = set()
    ahead = ["main.js", "theme.js"]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += re.findall(r'from "\./([\w-]+\.js)"', (PAGE / "js" / name).read_text())
    return found


def test_the_first_paint_needs_no_message_that_comes_later() -> None:
    code = "".join((PAGE / "js" / name).read_text() for name in modules_of_the_first_paint())
    assert first("fr").keys() == first("en").keys()
    later = catalogue("en").keys() - first("en").keys()
    assert len(later) > 80
    assert {key for key in later if f'"{key}"' in code} == set()


def named_in_situations() -> Iterator[str]:
    """The names of facts that speak for a cause: keywords of hints, and keys of tables where hints are made."""
    for path in sorted(SITUATIONS.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and (calls := list(hints_made(function))):
                yield from (keyword.arg for call in calls for keyword in call.keywords if keyword.arg)
                tables = [node for node in ast.walk(function) if isinstance(node, ast.Dict)]
                yield from (key.value for table in tables for key in table.keys if isinstance(key, ast.Constant))


def hints_made(function: ast.FunctionDef) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"Hint", "weighed", "wave"}
        ):
            yield node


def told_of_levels(kinds: Kinds) -> set[tuple[str, float | str | None]]:
    """What levels of all kinds rest on, with a full reading and an empty one."""
    found = set(reader(shipped_catalogue().sensors[0], []).evidence.items())
    for thing in things_of(shipped_catalogue(), kinds):
        full = dict.fromkeys([*thing.kind.field_names, *(text.name for text in thing.kind.choices)], 1.0)
        for told in (full, dict.fromkeys(full)):
            found |= set(evidence(thing, nan, nan, told).items())
        for unusual in Abnormality:
            found |= set(comparison(thing, nan, nan, unusual).items())
    return found


def test_every_fact_that_can_be_evidence_has_words() -> None:
    kinds = load_kinds()
    levels = told_of_levels(kinds)
    names = {name for name, _ in levels} | set(named_in_situations())
    assert {"after", "lanes_open", "usual_ratio", "ratio", "limits_origin", "corridors"} <= names
    fields = {field.name for kind in kinds.values() for field in kind.fields}
    worded = {key.removeprefix("fact.") for key in catalogue("fr") if key.startswith("fact.")}
    values = {f"{name}_origin" for name in fields}  # where the value came from that the level is judged by
    assert names - worded - fields - values == set()
    assert worded - names == {"origin"}


def test_every_cause_on_a_card_is_explained_by_the_first_catalogue() -> None:
    texts = {"after", "ban", "gate", "sensor"}
    assert {f"fact.{name}" for name in set(named_in_situations()) - texts} <= first("fr").keys()


def test_every_word_of_a_state_an_origin_or_a_reason_is_translated() -> None:
    kinds = load_kinds()
    said = {value for _, value in told_of_levels(kinds) if isinstance(value, str)}
    choices = {choice for kind in kinds.values() for text in kind.choices for choice in text.choices}
    words = {f"word.{word}" for word in said | choices} | {f"reason.{reason}" for reason in Reason}
    assert words - catalogue("fr").keys() == set()
    assert {f"word.{word}" for word in choices} <= first("fr").keys()
