"""Pulling a version into a folder: what a server would fetch, as a registry of its own.

The folder then holds the model's manifest, the version's record and its artifacts at the same relative paths, so a
server can start from it with ``MODEL_REGISTRY=file://…``, and every verb works on it. Versions that were pulled before
stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.create import create_or_keep
from registry.errors import ConflictError, InputError, ObjectExistsError
from registry.fetch import Progress, fetch_manifest, fetch_object
from registry.layout import manifest_path, object_path
from registry.manifest import Manifest, Version
from registry.names import parse_pin
from registry.revise import revise
from registry.stores import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What was pulled.

    Attributes:
        model: The model's name.
        version: What the pin came to.
        url: The registry that was made.
        size: Bytes of the objects, the manifest left out.
    """

    model: str
    version: str
    url: str
    size: int


def pull(
    store: Store, model: str, pin: str, target: Store, *, by: str = "pull", progress: Progress | None = None
) -> Pulled:
    """Copy the version that a pin means, checked, into another store. Pulling it again changes nothing.

    The target's manifest begins at the revision of ours, names that version, keeps the aliases that lead to it, and has
    it as its default. A target that has a manifest of the model gains the version, and its aliases, default and states
    stay as they are.

    Args:
        store: Where the registry lies.
        model: The model's name.
        pin: What to copy.
        target: Where to copy it to.
        by: Who does it, for the target's history.
        progress: Told of the bytes received.

    Raises:
        InputError: There is no such model or version, or the target is the registry itself.
        IntegrityError: An object is not what the manifest states; the manifest of the target was not written.
        ConflictError: The target already holds something else under one of the names.
        ManifestError: The manifest of one of the two cannot be understood.
        StoreError: One of the stores cannot be reached.
    """
    if target is store or target.url == store.url != "memory://":
        raise InputError(f"{target.url} is the registry that {model!r} is to be pulled from: name another place")
    manifest = fetch_manifest(store, model).manifest
    label = manifest.resolve(parse_pin(pin)).version
    version = manifest.versions[label]
    refs = [version.record, *version.artifacts.values()]
    for ref in refs:
        data = fetch_object(store, model, ref, progress=progress)
        create_or_keep(target, object_path(model, ref.path), data, ref)
    aliases = {alias: to for alias, to in manifest.aliases.items() if to == label}
    pulled = replace(manifest, versions={label: version}, aliases=aliases, default=label, previous_sha256=None)
    try:
        target.create(manifest_path(model), pulled.to_bytes())
    except ObjectExistsError:
        revise(target, model, lambda current: (_merged(current, pulled), f"pull {label} from {store.url}"), by=by)
    return Pulled(model=model, version=label, url=target.url, size=sum(ref.size for ref in refs))


def _merged(current: Manifest, pulled: Manifest) -> Manifest:
    ((label, version),) = pulled.versions.items()
    if label in current.versions and _content(current.versions[label]) != _content(version):
        raise ConflictError(f"the target has another version {label!r} of model {current.model!r}: name another place")
    if label in current.aliases:
        raise ConflictError(f"the target has an alias {label!r} of model {current.model!r}: name another place")
    return current if label in current.versions else current.with_version(label, version)


def _content(version: Version) -> dict[str, object]:
    return {"record": version.record, **version.artifacts}
