"""The messages of the page: every one in both languages, every one used, every one that is used there."""

from __future__ import annotations

import re
from pathlib import Path

import api

PAGE = Path(api.__file__).parent / "page"
CODE = "".join(
    path.read_text()
    for path in [*sorted((PAGE / "js").glob("*.js")), PAGE / "index.html"]
    if "messages-" not in path.name
)
# Names and abbreviations that are the same word in both languages.
SAME = 0.25


def catalogue(language: str) -> dict[str, str]:
    lines = (PAGE / "js" / f"messages-{language}.js").read_text()
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
