"""Fitted estimators with a table that compiled code would read beyond its end, or follow for ever.

Without the checks in `registry.formats._tables`, about a third of them end the process, some never end, and the others
answer with what lies in foreign memory.
"""

from __future__ import annotations

from tests.format.tampered import kept_rows, others, trees

TAMPERED = {**trees.TAMPERED, **kept_rows.TAMPERED, **others.TAMPERED}
"""What was done to a table: how to make the artifact, and the message, or its beginning, that a server answers with."""
