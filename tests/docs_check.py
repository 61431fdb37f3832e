"""Checks of the documentation that need no server: links lead somewhere, JSON is JSON, Python is Python.

Run it with ``python -m tests.docs_check``; `make check` does.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def pages() -> list[Path]:
    """Return the Markdown files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in sorted(listed.stdout.splitlines()) if (ROOT / line).exists()]


def blocks(text: str, *languages: str) -> Iterator[str]:
    """Yield the fenced blocks in one of the languages."""
    for language, body in FENCE.findall(text):
        if language in languages:
            yield body


def problems() -> Iterator[str]:
    """Yield what is wrong, one line each."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(ROOT)
        yield from (f"{name}: {problem}" for problem in _links(page, text))
        yield from (f"{name}: {problem}" for problem in _code(text))
        yield from (f"{name}: line {n} is over 400 characters" for n in _long_lines(text))


def _links(page: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
            yield f"the link {target} names a heading that is not there"


def _anchors(file: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", file.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _code(text: str) -> Iterator[str]:
    for body in blocks(text, "json"):
        try:
            json.loads(body)
        except ValueError as exc:
            yield f"a JSON block is not JSON ({exc}): {body[:60]!r}"
    for body in blocks(text, "python"):
        try:
            ast.parse(body)
        except SyntaxError as exc:
            yield f"a Python block is not Python ({exc}): {body[:60]!r}"


def _long_lines(text: str) -> Iterator[int]:
    return (n for n, line in enumerate(text.splitlines(), 1) if len(line) > 400)


def main() -> int:
    """Print what is wrong, and say whether anything is."""
    found = list(problems())
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(pages())} pages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
