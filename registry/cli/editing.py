"""The verb edit: the decisions of a model in the person's own editor.

What is saved is applied against what was opened: when somebody else decided something meanwhile, nothing is changed.
The text of an edit that could not be applied is kept, so nobody types it twice.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import typer

from registry.cli.deciding import revised_answer
from registry.cli.printing import is_terminal, plain
from registry.cli.verb import Answer, Call, Model, verb
from registry.decisions import Decisions
from registry.errors import InputError, ManifestError, RegistryError
from registry.revise import Revised

if TYPE_CHECKING:
    from registry.manifest import State
    from registry.registry import Registry

FALLBACK_EDITOR = "vi"

_STANDARD_ERROR = 2


@verb("edit")
def edit(call: Call, model: Model) -> Answer:
    """Edit what is decided about a model, in your own editor.

    The editor is VISUAL, else EDITOR; what it saves is applied.
    A mistake is shown, and the editor can be opened again. An alias that is removed goes away; a version whose state
    is removed is active again. What is saved as it was changes nothing.
    """
    from registry.promote import decisions_of

    manifest = call.registry.manifest(model)
    opened = decisions_of(manifest)
    text = orjson.dumps(opened.to_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    file = Path(tempfile.mkdtemp(prefix="model-bucket-")) / f"{model}.json"
    file.write_bytes(text)
    session = _Session(registry=call.registry, opened=opened, file=file, as_json=call.as_json)
    try:
        revised = session.run()
    except RegistryError as error:
        if file.exists() and file.read_bytes() != text:
            error.add_note(f"your text is kept in {file}")
        else:
            _remove(file)
        raise
    _remove(file)
    return revised_answer(revised or Revised(manifest=manifest, changed=False, text=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    registry: Registry
    opened: Decisions
    file: Path
    as_json: bool

    def run(self) -> Revised | None:
        while True:
            self._open_editor()
            try:
                saved = self._read()
                return self.registry.apply(saved, expected=self.opened) if saved != self.opened else None
            except InputError as error:
                if not self._again(error):
                    raise

    def _open_editor(self) -> None:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or FALLBACK_EDITOR
        try:
            command = [*shlex.split(editor), str(self.file)]
            # The standard output belongs to the JSON document.
            ended = subprocess.run(command, check=False, stdout=_STANDARD_ERROR if self.as_json else None)  # noqa: S603
        except (OSError, ValueError) as exc:
            problem = exc.strerror if isinstance(exc, OSError) else exc
            raise InputError(f"cannot start the editor {editor!r}: {problem} (set VISUAL or EDITOR)") from exc
        if ended.returncode:
            raise InputError(f"the editor {editor!r} ended with exit code {ended.returncode}: nothing was changed")

    def _read(self) -> Decisions:
        try:
            saved = Decisions.from_bytes(self.file.read_bytes())
        except OSError as exc:
            raise InputError(f"cannot read what the editor saved: {exc.strerror}") from exc
        except ManifestError as exc:
            raise InputError(str(exc)) from exc
        if saved.model != self.opened.model:
            raise InputError(f"model: these are the decisions about {self.opened.model!r}, not {saved.model!r}")
        removed: dict[str, State] = {label: "active" for label in self.opened.states if label not in saved.states}
        return replace(saved, states={**removed, **saved.states})

    def _again(self, error: InputError) -> bool:
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            return False
        typer.echo(f"error: {plain(str(error))}", err=True)
        typer.echo("Open it again? [Y/n] ", nl=False, err=True)  # typer.confirm writes to the standard output, too
        answer = sys.stdin.readline()
        return answer.strip().lower() in ("", "y", "yes") and answer != ""


def _remove(file: Path) -> None:
    shutil.rmtree(file.parent, ignore_errors=True)
