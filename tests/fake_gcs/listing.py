"""Listings: filtered, grouped at a delimiter, and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.fake_gcs.objects import StoredObject


@dataclass(slots=True)
class Page:
    """One page. `next_after` is what the next one begins after, or None when this is the last."""

    items: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next_after: str | None = None

    def __len__(self) -> int:
        return len(self.items) + len(self.prefixes)


def list_objects(
    objects: Iterable[StoredObject],
    *,
    prefix: str = "",
    delimiter: str = "",
    after: str = "",
    start: str = "",
    end: str = "",
    glob: str = "",
    limit: int = 1000,
) -> Page:
    """Return a page of the objects, which are ordered by name; groups count towards the limit as objects do."""
    page = Page()
    matches = re.compile(_translate(glob)).fullmatch if glob else None
    last = ""
    for item in objects:
        name = item.name
        if not name.startswith(prefix) or name < start or (end and name >= end) or (matches and not matches(name)):
            continue
        group_end = name.find(delimiter, len(prefix)) if delimiter else -1
        shown = name if group_end < 0 else name[: group_end + len(delimiter)]
        if after and shown <= after:
            continue
        if group_end >= 0 and page.prefixes and page.prefixes[-1] == shown:
            continue
        if len(page) >= limit and shown != last:
            page.next_after = last
            return page
        if group_end < 0:
            page.items.append(item)
        else:
            page.prefixes.append(shown)
        last = shown
    return page


def _translate(glob: str) -> str:
    """Turn a ``matchGlob`` into a regular expression: ``*`` stays within a segment, ``**`` does not."""
    pattern = ""
    depth = 0
    for token in re.findall(r"\*\*/|\*\*|\[[^\]]+\]|.", glob):
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
        if token in known:
            pattern += known[token]
        elif token == "," and depth:
            pattern += "|"
        elif token.startswith("["):
            pattern += token.replace("[!", "[^", 1)
        else:
            pattern += re.escape(token)
    return pattern
