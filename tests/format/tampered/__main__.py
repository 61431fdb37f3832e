"""Load every artifact in a folder as a server does, predict with what loads, and print how each ended.

It runs in a process of its own, because a crash is what it looks for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.format.tampered.parts import ending


def main(folder: str) -> None:
    for path in sorted(Path(folder).iterdir()):
        print(json.dumps([path.stem, ending(path.read_bytes())]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
