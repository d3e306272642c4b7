from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.arguments import COMMANDS, Command, build_parser

DOCS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")


def commands(parser: argparse.ArgumentParser, name: str = "vigie") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    choices = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not choices:
        yield name, parser
    for action in choices:
        for word, child in action.choices.items():
            yield from commands(child, f"{name} {word}")


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    documented = re.findall(r"^\| `(vigie [a-z -]+)` \|", DOCS, flags=re.MULTILINE)
    assert sorted(documented) == sorted(name for name, _ in commands(build_parser()))


@pytest.mark.parametrize(("name", "parser"), list(commands(build_parser())))
def test_every_option_says_what_it_is_for(name: str, parser: argparse.ArgumentParser) -> None:
    silent = [action.dest for action in parser._actions if not action.help]
    assert not silent, f"{name}: {silent}"


def test_every_command_knows_its_function() -> None:
    assert all(callable(parser.get_default("run")) for _, parser in commands(build_parser()))


@pytest.mark.parametrize("group", [one for one in COMMANDS if one.group], ids=lambda one: one.name)
def test_a_group_says_what_it_can(group: Command) -> None:
    names = [name.split()[2] for name, _ in commands(build_parser(only=group.name)) if name.split()[1] == group.name]
    assert group.help.partition(": ")[2].split(", ") == names
