"""Lay out the folder that a Cloud Function is deployed from, and print where it is.

The platform looks for ``main.py`` and ``requirements.txt`` at the top of what is uploaded, installs the second, starts
functions-framework there, and puts nothing but the folder of ``main.py`` on the import path. So the folder holds a copy
of the host, of its lock, and of the library:

    main.py             function/main.py
    requirements.txt    requirements/function.txt
    registry/           registry/

Nothing is installed or imported for it; any Python from 3.9 will do.

Example:
    gcloud functions deploy iris --source "$(python3 deploy/function_source.py)" …
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

LAYOUT = {
    "main.py": "function/main.py",
    "requirements.txt": "requirements/function.txt",
    "registry": "registry",
}
"""What lies in the folder, and what in the project it is a copy of."""


def lay_out(folder: Path) -> None:
    """Make the folder, or make it anew.

    Raises:
        FileExistsError: The folder holds something that is not ours to remove; nothing was changed.
        OSError: The folder cannot be written.
    """
    foreign = sorted(path.name for path in folder.glob("*") if path.name not in LAYOUT)
    if foreign:
        raise FileExistsError(f"{folder} would be replaced, but holds {', '.join(foreign)}: name an empty folder")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, source in LAYOUT.items():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.py[co]"))
        else:
            shutil.copyfile(ROOT / source, folder / name)


def main() -> None:
    """Lay out the folder that is named on the command line, or ``build/function``."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "function"
    try:
        lay_out(folder)
    except OSError as error:
        sys.exit(f"function_source: {error}")
    print(folder)  # noqa: T201 - the caller's shell puts it into the command


if __name__ == "__main__":
    main()
