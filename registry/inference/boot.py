"""The cold start: from settings to a predictor that is ready.

The steps, each a phase that is timed and named when it fails:

1. *store*: open the store.
2. *manifest*: read the manifest in force.
3. *resolve*: find the version that the pin means, and the artifact of it that is to answer.
4. *record*: read what is known about it, checked against its digest.
5. *libraries*: compare the libraries of training with ours.
6. *fetch*: read the artifact.
7. *verify*: check its size and SHA-256 against the manifest.
8. *deserialise*: audit what it names, construct it, check its tables.
9. *warm*: predict the record's example rows.

Nothing is deserialised before it is verified, and there is no other way to load a version: steps 4 to 9 are the same
for the pinned version, for one that a request asks for, and for one that takes over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata

import numpy as np

from registry.errors import ContentError, InputError, IntegrityError, SkewError
from registry.fetch import download, fetch_manifest, fetch_record
from registry.formats import open_format
from registry.inference.loaded import Loaded
from registry.inference.phases import Stopwatch
from registry.inference.predictor import Chosen, Predictor, Serving
from registry.inference.settings import Settings
from registry.layout import object_path
from registry.manifest import Manifest, Resolved
from registry.record import Record
from registry.stores import Store, open_store

log = logging.getLogger(__name__)

_SOURCES = {"file": "folder", "memory": "memory"}


def boot(settings: Settings, *, store: Store | None = None) -> Predictor:
    """Start: resolve the pin, fetch, verify, deserialise and warm the version, and return what answers.

    Args:
        settings: What the server was told.
        store: An open store; the one at the registry's URL when not given.

    Raises:
        RegistryError: Any of our errors, with the phase in ``details["phase"]``.
    """
    watch = Stopwatch()
    with watch.phase("store"):
        source = BucketSource(store or open_store(settings.registry), settings)
    with watch.phase("manifest") as note:
        snapshot = fetch_manifest(source.store, settings.model)
        note(size=len(snapshot.data), source=source.kind)
    with watch.phase("resolve"):
        manifest = snapshot.manifest
        resolved = manifest.resolve(settings.pin)
        form = source.format(manifest, resolved)
    with watch.phase("record") as note:
        record = source.record(manifest, resolved.version)
        note(size=manifest.versions[resolved.version].record.size, source=source.kind)
    loaded = source.load(Chosen(manifest=manifest, resolved=resolved, format=form, record=record))
    loaded = replace(loaded, phases=(*watch.phases, *loaded.phases))
    serving = Serving(manifest=manifest, resolved=resolved, loaded=loaded)
    return Predictor(source, settings.pin, serving, refresh_s=settings.refresh_s)


class BucketSource:
    """Manifests, records and versions from a registry."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.kind = _SOURCES.get(store.url.partition("://")[0], "bucket")
        self._settings = settings

    def manifest(self) -> Manifest:
        """Return the manifest in force."""
        return fetch_manifest(self.store, self._settings.model).manifest

    def format(self, manifest: Manifest, resolved: Resolved) -> str:
        """Return the format of the artifact to load: the one that a pinned digest names, or the operator's choice.

        Raises:
            InputError: The version has none that the operator allows.
        """
        version, choice = manifest.versions[resolved.version], self._settings.runtime
        named = [form for form, ref in version.artifacts.items() if resolved.sha256 in (None, ref.sha256)]
        form = choice if choice != "auto" else version.canonical if version.canonical in named else named[0]
        if form not in named:
            raise InputError(f"MODEL_RUNTIME={choice}, and version {resolved.version!r} has only: {', '.join(named)}")
        return form

    def record(self, manifest: Manifest, version: str) -> Record:
        """Return the record of a version, checked against its digest."""
        return fetch_record(self.store, manifest, version)

    def load(self, chosen: Chosen) -> Loaded:
        """Return the version, loaded and warm (steps 5 to 9)."""
        watch = Stopwatch()
        model, record, form = chosen.manifest.model, chosen.record, chosen.format
        ref = chosen.manifest.versions[chosen.resolved.version].artifacts[form]
        what = f"{self.store.url}/{object_path(model, ref.path)}"
        with watch.phase("libraries"):
            skew = _check_skew(record, refuse=self._settings.on_skew == "refuse")
        with watch.phase("fetch") as note:
            unverified = download(self.store, model, ref)
            note(size=ref.size, source=self.kind)
        with watch.phase("verify"):
            data = unverified.verify()
            if record.artifacts.get(form) != ref.sha256:
                raise IntegrityError(f"{what}: not the artifact that the record of {record.version!r} describes")
        with watch.phase("deserialise"), _at_fault(what):
            n_columns = len(record.signature.columns)
            runtime = open_format(form).load(data, trusted=self._settings.trusted, n_columns=n_columns)
        loaded = Loaded(
            identity=chosen.identity, record=record, format=form, size=ref.size, runtime=runtime, phases=(), skew=skew
        )
        with watch.phase("warm"), _at_fault(what):
            _warm(loaded)
        return replace(loaded, phases=tuple(watch.phases))


@contextmanager
def _at_fault(what: str) -> Iterator[None]:
    """Name the object in an error about its content that knows the bytes only."""
    try:
        yield
    except ContentError as error:
        raise type(error)(f"{what}: {error.message}", **error.details) from error


def _check_skew(record: Record, *, refuse: bool) -> dict[str, tuple[str, str]]:
    """Return the libraries whose versions differ from those of training, or refuse them."""
    here = {name: _installed(name) for name in record.run.libraries}
    skew = {name: (trained, here[name]) for name, trained in record.run.libraries.items() if here[name] != trained}
    if skew:
        listed = ", ".join(f"{name} {trained} (here {found})" for name, (trained, found) in skew.items())
        if refuse:
            raise SkewError(f"{record.model} {record.version} was made with {listed}, and MODEL_ON_SKEW=refuse")
        log.warning("%s %s was made with %s", record.model, record.version, listed)
    return skew


def _installed(library: str) -> str:
    try:
        return metadata.version(library)
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: no library can have that name
        return "none"


def _warm(loaded: Loaded) -> None:
    examples, signature = loaded.record.examples, loaded.record.signature
    if not examples:
        return
    n_columns = len(signature.columns)
    if any(len(row) != n_columns for row in examples):
        raise IntegrityError(f"the record's example rows do not have its {n_columns} columns")
    try:
        values = loaded.predict(np.asarray(examples, dtype=np.float64)).values
    except IntegrityError:
        raise
    except Exception as exc:  # a library's failure on rows that it was published with: the artifact is at fault
        raise IntegrityError(f"the artifact cannot predict the record's examples: {type(exc).__name__}: {exc}") from exc
    if signature.classes and not set(values.tolist()) <= set(signature.classes):
        raise IntegrityError("the artifact answers classes that the record does not know")
