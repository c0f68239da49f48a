"""What goes for every mistake of a user's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import thawline
from thawline.errors import visible_lines


def user_errors() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(Path(thawline.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UserError":
                yield f"{path.name}:{node.lineno}", node


def hint_of(call: ast.Call) -> ast.expr | None:
    by_name = [keyword.value for keyword in call.keywords if keyword.arg == "hint"]
    return next(iter([*by_name, *call.args[2:3]]), None)


def test_every_mistake_comes_with_a_fix() -> None:
    found = list(user_errors())
    assert len(found) > 50
    empty = [place for place, call in found if (hint := hint_of(call)) is None or ast.unparse(hint) == "''"]
    assert empty == []


def test_text_of_several_lines_keeps_newlines_and_tabs_only() -> None:
    assert visible_lines("a\n\tb\r\x1b[2J\u202e\ud800\x9b") == "a\n\tb\\r\\x1b[2J\\u202e\\ud800\\x9b"
