"""What the declared models are, asked of whoever has them: the server, or else the registry."""

from __future__ import annotations

import json
from typing import Any

from tasks.engine_api import Answer, answers, curl
from tasks.ollama.observed import ServedModel, Snapshot
from tasks.registry import RegistryFault, RemoteManifest, look_up_model, model_bytes
from tasks.run import Run
from tasks.shell import Shell
from tasks.stack import Service, Stack
from tasks.vram.gguf import NotGguf, TooShort, read_header
from tasks.vram.plan import Row
from tasks.vram.shape import Incomplete, ModelShape, from_header, from_show

WEIGHTS, PROJECTOR = "image.model", "image.projector"
# Up to where a header is read: the model's own values come first, the vocabulary takes megabytes,
# the list of tensors follows it.
STEPS = (256 * 1024, 8 * 1024**2, 24 * 1024**2)


def rows(run: Run, snapshot: Snapshot) -> list[Row]:
    """Return the models of the selected services that may use the GPU, with their shapes."""
    found = []
    for service in run.stack.selected:
        if service.active and service.gpu != "off" and not run.has_failed(service.name):
            found += [_row(run, snapshot, service, model) for model in service.models]
    return found


def _row(run: Run, snapshot: Snapshot, service: Service, model: str) -> Row:
    held = snapshot.server(service.name).models.get(model)
    digest = run.model_digests(service).get(model, "")
    try:
        if held is not None and digest in ("", held.digest):
            return Row(service, model, served_shape(run, service, held))
        return Row(service, model, _offered_shape(run, model))
    except Incomplete as error:
        return Row(service, model, None, str(error))


def local_rows(shell: Shell, stack: Stack, snapshot: Snapshot) -> list[Row]:
    """Return the same for what the running servers hold; the registry is not asked."""
    found = []
    for service in stack.services:
        if not service.active or service.gpu == "off":
            continue
        for model in service.models:
            held = snapshot.server(service.name).models.get(model)
            try:
                shape = served_shape(shell, service, held) if held else None
                found.append(Row(service, model, shape, "" if shape else "not here yet"))
            except Incomplete as error:
                found.append(Row(service, model, None, str(error)))
    return found


def served_shape(shell: Shell, service: Service, held: ServedModel) -> ModelShape:
    """Ask a server for the shape of a model that it holds. Raises Incomplete."""
    url = f"{service.url}/api/show"
    question = curl([url], method="POST", timeout=20, has_body=True)
    said = shell.sh(f"{question}; true", stdin=json.dumps({"model": held.name}), timeout=30)
    answer = answers(said.stdout).get(url, Answer(url, 0, ""))
    told: Any = answer.json
    if not answer.ok or not isinstance(told, dict):
        raise Incomplete("its server does not tell")
    return from_show(told, held.size)


def _offered_shape(run: Run, model: str) -> ModelShape:
    """Read the shape of a model at the registry. Raises Incomplete."""
    remote = look_up_model(run, model)
    if isinstance(remote, RegistryFault):
        raise Incomplete("the registry does not tell")
    key = ("shape", remote.digest)
    if key not in run.manifests:
        run.manifests[key] = _read(run, model, remote)
    found: ModelShape = run.manifests[key]
    return found


def _read(run: Run, model: str, remote: RemoteManifest) -> ModelShape:
    weights = remote.of_kind(WEIGHTS)
    if len(weights) != 1:
        raise Incomplete("it is in several files")
    digest, size = next(iter(weights.items()))
    projector = sum(remote.of_kind(PROJECTOR).values())
    data = b""
    header = None
    for end in STEPS:
        wanted = min(end, size)
        data += model_bytes(run, model, digest, len(data), wanted - len(data))
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
