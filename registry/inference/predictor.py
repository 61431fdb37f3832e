"""The predictor: loaded versions, ready to answer.

It decides which version answers a request, has it loaded once however many ask at the same moment, and keeps the
pinned one. It never sees the bucket: a `Source` gives it manifests, records and loaded versions.

What is served and the manifest that says so are one value, replaced in one assignment, so a request sees either the
old pair or the new one. When the last look at the manifest is too old, a request starts a new look beside itself and
is answered by what is there: the new version takes over only when it is loaded and warm, and if anything fails the
old pair stays as it is, and `Predictor.problem` says why.

Whoever must not wait for the bucket says so (``wait=False``) and gets `MustWait` where that would be needed.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Protocol

from registry.errors import IntegrityError, RegistryError, UnknownVersionError
from registry.inference.loaded import Identity, Loaded
from registry.inference.once import MustWait, Once
from registry.manifest import Manifest, Resolved
from registry.names import Pin
from registry.record import Record

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0
"""How old a look at the manifest must be before a request for an unknown version causes another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The version that a request asked for; loaded only when it must answer.

    Attributes:
        manifest: The manifest that it was found in.
        resolved: What the request's pin came to.
        format: The format of the artifact that is to answer.
        record: What is known about it.
        loaded: The version, when it is the one that is served.
    """

    manifest: Manifest
    resolved: Resolved
    format: str
    record: Record
    loaded: Loaded | None = None

    @property
    def identity(self) -> Identity:
        """Its label and its digests."""
        return _identity(self.manifest, self.resolved, self.format)


class Source(Protocol):
    """Where manifests and versions come from."""

    def manifest(self) -> Manifest:
        """Return the manifest in force."""

    def format(self, manifest: Manifest, resolved: Resolved) -> str:
        """Return the format of the artifact that is to answer."""

    def record(self, manifest: Manifest, version: str) -> Record:
        """Return the record of a version."""

    def load(self, chosen: Chosen) -> Loaded:
        """Return the version, loaded and warm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served.

    Attributes:
        manifest: The manifest that says so.
        resolved: What the pin came to in it.
        loaded: The pinned version.
    """

    manifest: Manifest
    resolved: Resolved
    loaded: Loaded

    def chosen(self) -> Chosen:
        """Return what a request gets that asks for no version."""
        loaded = self.loaded
        return Chosen(
            manifest=self.manifest,
            resolved=self.resolved,
            format=loaded.format,
            record=loaded.record,
            loaded=loaded,
        )


class Predictor:
    """Loaded versions of one model, and which of them answers."""

    def __init__(self, source: Source, pin: Pin, serving: Serving, *, refresh_s: float) -> None:
        """Begin with a version that is loaded and warm.

        Args:
            source: Where manifests and versions come from.
            pin: What the server was asked to serve.
            serving: What it came to.
            refresh_s: How old a look at the manifest may be; 0 never looks again.
        """
        self._source = source
        self._pin = pin
        self._refresh_s = refresh_s
        self._serving = serving
        self._records: Once[str, Record] = Once()
        self._loads: Once[Identity, Loaded] = Once()
        self._looking = threading.Lock()
        self._looked_s = time.monotonic()
        self.problem = ""

    @property
    def serving(self) -> Serving:
        """What is served now."""
        return self._serving

    @property
    def pin(self) -> Pin:
        """What the server was asked to serve."""
        return self._pin

    @property
    def loaded(self) -> list[Loaded]:
        """The versions that are loaded, the served one first."""
        return list({one.identity: one for one in (self._serving.loaded, *self._loads.values())}.values())

    def choose(self, pin: Pin | None, *, wait: bool = True) -> Chosen:
        """Find the version that a request asks for, reading its record but not loading it.

        Args:
            pin: What the request asks for; None means what is served.
            wait: Whether the bucket may be read for it.

        Raises:
            UnknownVersionError, WithdrawnVersionError, InputError: It cannot be had.
            ContentError, StoreError: Its record cannot be read.
            MustWait: It is not known yet, and `wait` is false.
        """
        self._look_if_due()
        serving = self._serving
        if pin is None:
            return serving.chosen()
        try:
            resolved = _resolve(serving.manifest, pin)
        except UnknownVersionError:
            if not self._refresh_s or self._age_s() < LOOK_AGAIN_S:
                raise
            if not wait:
                raise MustWait from None
            self._look_again()
            serving = self._serving
            resolved = _resolve(serving.manifest, pin)
        return self._chosen(serving, serving.manifest, resolved, wait=wait)

    def load(self, chosen: Chosen, *, wait: bool = True) -> Loaded:
        """Return the chosen version, loading it when it is not loaded yet.

        Raises:
            ContentError, StoreError: It cannot be loaded; whoever waited for the same load gets the same error.
            MustWait: It is not loaded, and `wait` is false.
        """
        return chosen.loaded or self._loads.get(chosen.identity, lambda: self._source.load(chosen), wait=wait)

    def _chosen(self, serving: Serving, manifest: Manifest, resolved: Resolved, *, wait: bool) -> Chosen:
        form = self._source.format(manifest, resolved)
        identity = _identity(manifest, resolved, form)
        if identity == serving.loaded.identity:
            return Serving(manifest=manifest, resolved=resolved, loaded=serving.loaded).chosen()
        record = self._records.get(
            identity.record_sha256, lambda: self._source.record(manifest, resolved.version), wait=wait
        )
        return Chosen(manifest=manifest, resolved=resolved, format=form, record=record)

    def _age_s(self) -> float:
        return time.monotonic() - self._looked_s

    def _look_if_due(self) -> None:
        """Start a look beside the request when the last one is too old and nobody is looking."""
        if self._refresh_s and self._age_s() > self._refresh_s and self._looking.acquire(blocking=False):
            try:
                threading.Thread(target=self._look_beside, name="look-at-manifest", daemon=True).start()
            except RuntimeError:  # no thread to be had: a later request tries again
                self._looking.release()

    def _look_beside(self) -> None:
        try:
            self._look()
        except Exception:
            log.exception("a bug: looking at the manifest failed")
        finally:
            self._looking.release()

    def _look_again(self) -> None:
        """Look before the request goes on, or wait for somebody else's look."""
        with self._looking:
            if self._age_s() >= LOOK_AGAIN_S:
                self._look()

    def _look(self) -> None:
        """Read the manifest again and, when the pin leads elsewhere now, load that and let it take over."""
        try:
            serving = self._served_by(self._source.manifest())
        except RegistryError as error:
            self.problem = str(error)
            log.warning("still serving %s: %s", self._serving.resolved.version, error)
        else:
            if serving.resolved.version != self._serving.resolved.version:
                log.info("now serving %s instead of %s", serving.resolved.version, self._serving.resolved.version)
            self._serving = serving
            self.problem = ""
            self._forget(serving)
        finally:
            self._looked_s = time.monotonic()

    def _served_by(self, manifest: Manifest) -> Serving:
        serving = self._serving
        if manifest.revision < serving.manifest.revision:
            raise IntegrityError(
                f"the manifest went back from revision {serving.manifest.revision} to {manifest.revision}"
            )
        chosen = self._chosen(serving, manifest, manifest.resolve(self._pin), wait=True)
        return Serving(manifest=manifest, resolved=chosen.resolved, loaded=self.load(chosen))

    def _forget(self, serving: Serving) -> None:
        """Keep what requests may still ask for, and no second hold on what is served."""
        versions = serving.manifest.versions
        records = {version.record.sha256 for version in versions.values()}

        def wanted(identity: Identity) -> bool:
            version = versions.get(identity.version)
            return (
                version is not None
                and version.state == "active"
                and version.record.sha256 == identity.record_sha256
                and identity.artifact_sha256 in {ref.sha256 for ref in version.artifacts.values()}
                and identity != serving.loaded.identity
            )

        self._records.keep(records.__contains__)
        self._loads.keep(wanted)


def _identity(manifest: Manifest, resolved: Resolved, form: str) -> Identity:
    version = manifest.versions[resolved.version]
    return Identity(resolved.version, version.record.sha256, version.artifacts[form].sha256)


def _resolve(manifest: Manifest, pin: Pin) -> Resolved:
    """Find the version that a request's pin means; a digest that it does not have makes it an unknown one."""
    try:
        return manifest.resolve(pin)
    except IntegrityError as error:
        label = manifest.resolve(Pin(name=pin.name)).version
        known = [f"{label}@sha256:{ref.sha256}" for ref in manifest.versions[label].artifacts.values()]
        raise UnknownVersionError(error.message, known=known) from error
