"""What the declared models are, asked of whoever has them: the server, or else the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tasks.containers.observed import ServedModel, Snapshot
from tasks.declared.stack import Service
from tasks.registry.manifests import (
    Asker,
    RegistryFault,
    RemoteManifest,
    look_up_model,
    model_beginning,
)
from tasks.shell.engine_api import ask
from tasks.shell.local import Shell
from tasks.vram.gguf import NotGguf, TooShort, read_header
from tasks.vram.plan import Row
from tasks.vram.shape import Incomplete, ModelShape, from_header, from_show

WEIGHTS, PROJECTOR = "image.model", "image.projector"
# Up to where a header is read: the model's own values come first, the vocabulary takes megabytes,
# the list of tensors follows it.
STEPS = (256 * 1024, 8 * 1024**2, 24 * 1024**2)


def rows(
    asker: Asker,
    services: Iterable[Service],
    snapshot: Snapshot,
    digests: Callable[[Service], Mapping[str, str]],
) -> tuple[Row, ...]:
    """Return the models of the services that may use the GPU, with their shapes.

    `digests`: the manifest digests to hold to, by model.
    """
    return tuple(
        _row(asker, snapshot, service, model, digests(service).get(model, ""))
        for service in services
        if service.active and service.gpu != "off"
        for model in service.models
    )


def _row(asker: Asker, snapshot: Snapshot, service: Service, model: str, digest: str) -> Row:
    held = snapshot.server(service.name).models
    # What is kept for a rollback is the same model under another name.
    same = (one for one in held.values() if digest and one.digest == digest)
    found = next(same, None) or (held.get(model) if not digest else None)
    try:
        if found is not None:
            return Row(service, model, served_shape(asker, service.url, found))
        return Row(service, model, _offered_shape(asker, model, digest))
    except Incomplete as error:
        return Row(service, model, None, str(error))


def served_shape(shell: Shell, server: str, held: ServedModel) -> ModelShape:
    """Ask a server, by its URL, for the shape of a model that it holds. Raises Incomplete.

    Lists are left out of the short answer, so that a model whose layers differ is asked for all.
    """
    try:
        return from_show(_show(shell, server, held.name, verbose=False), held.size)
    except Incomplete:
        return from_show(_show(shell, server, held.name, verbose=True), held.size)


def _show(shell: Shell, server: str, model: str, *, verbose: bool) -> dict[str, Any]:
    url = f"{server}/api/show"
    question = {"model": model, "verbose": verbose}
    answer = ask(shell, url, method="POST", body=question, timeout=20)
    told: Any = answer.json
    if not answer.ok or not isinstance(told, dict):
        raise Incomplete("its server does not tell")
    return told


def _offered_shape(asker: Asker, model: str, digest: str) -> ModelShape:
    """Read the shape of a model at the registry, if it is the one meant. Raises Incomplete."""
    remote = look_up_model(asker, model)
    if isinstance(remote, RegistryFault):
        raise Incomplete(remote.cause)
    if digest not in ("", remote.digest):
        raise Incomplete("the registry offers another one now")
    key = ("shape", remote.digest)
    if key not in asker.manifests:
        asker.manifests[key] = _read(asker, model, remote)
    found: ModelShape = asker.manifests[key]
    return found


def _read(asker: Asker, model: str, remote: RemoteManifest) -> ModelShape:
    weights = remote.of_kind(WEIGHTS)
    if len(weights) != 1:
        raise Incomplete("it is in several files")
    digest, size = next(iter(weights.items()))
    if size <= 0:
        raise Incomplete("its manifest is damaged")
    projector = sum(remote.of_kind(PROJECTOR).values())
    header = None
    for end in STEPS:
        wanted = min(end, size)
        data = model_beginning(asker, model, digest, wanted)
        try:
            header = read_header(data)
        except NotGguf as error:
            raise Incomplete(f"its file cannot be read: {error}") from None
        except TooShort:
            pass
        if len(data) < wanted or wanted == size or (header and header.tensors is not None):
            break
    if header is None:
        raise Incomplete("its file could not be read at the registry")
    return from_header(header, size, projector)
