"""Where a container differs from its declaration: only in what we set, normalised.

What the image brings (its environment) and what the engine fills in (swap limits, default names
of networks) is no drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.containers.observed import (
    IMAGE_LABEL,
    SERVICE_LABEL,
    SPEC_LABEL,
    ObservedContainer,
    ObservedImage,
    device_texts,
    health_texts,
    log_text,
    mount_texts,
    port_texts,
)
from tasks.containers.spec import CA_INSIDE, HEALTH_CHECK, NETWORK, RESTART, SECOND, ContainerSpec
from tasks.declared.stack import MODELS_FOLDER
from tasks.words.digests import short
from tasks.words.foreign import Fields
from tasks.words.secrets.variables import is_private

ABSENT = "none"
SPEC_FIELD = f"label {SPEC_LABEL}"


@dataclass(frozen=True)
class Change:
    """One difference: the field, the value that is there and the one that is declared."""

    field: str
    old: str
    new: str

    @property
    def is_private(self) -> bool:
        """Tell whether its values may be secrets, so that nobody shows them."""
        if not self.field.startswith("environment "):
            return False
        name = self.field.split()[1]
        return is_private(name, self.old) or is_private(name, self.new)

    def __str__(self) -> str:
        if self.is_private:
            return f"{self.field} differs (its values are not shown)"
        return f"{self.field} {self.old} → {self.new}"


def drift(
    spec: ContainerSpec,
    container: ObservedContainer,
    images: Mapping[str, ObservedImage],
    image_digest: str,
) -> list[Change]:
    """Compare a container with its spec; `image_digest` is the one to hold to, "" if none yet."""
    changes = _image_change(spec, container, images, image_digest)
    changes += [field for field in fields(spec, container, images) if field.old != field.new]
    # The hash follows every other difference; alone it means that a hand changed the label.
    return [change for change in changes if change.field != SPEC_FIELD] or changes


def differences(
    spec: ContainerSpec,
    container: ObservedContainer,
    images: Mapping[str, ObservedImage],
    image_digest: str,
    owner: str = "this stack",
) -> list[Change]:
    """Judge whether a container is the declared one: whose it is, then what is set on it.

    The plan and whoever only looks judge by this; `owner` is what its owner becomes.
    """
    if not container.is_of(spec.stack):
        return [Change("owner", "not this stack", owner)]
    return drift(spec, container, images, image_digest)


def fields(
    spec: ContainerSpec, container: ObservedContainer, images: Mapping[str, ObservedImage]
) -> list[Change]:
    """Return all that is set besides the image, as it is and as it is declared, equal or not."""
    image = images.get(container.image_id)
    old, new = _seen(container, spec, image), _declared(spec, image)
    return [Change(k, old.get(k, ABSENT), new.get(k, ABSENT)) for k in sorted({*old, *new})]


def origin(spec: ContainerSpec, container: ObservedContainer) -> str:
    """Tell who made the difference: the labels hold what was declared at creation."""
    declared = (container.labels.get(SPEC_LABEL), container.labels.get(IMAGE_LABEL))
    return "edited by hand" if declared == (spec.digest, spec.image) else "declaration"


def _image_change(
    spec: ContainerSpec,
    container: ObservedContainer,
    images: Mapping[str, ObservedImage],
    image_digest: str,
) -> list[Change]:
    """Compare images by manifest digest; by id where an image was never at a registry."""
    actual = images.get(container.image_id)
    wanted = images.get(spec.image)
    if image_digest:
        is_same = actual is not None and image_digest in actual.digests
    elif wanted is None:
        is_same = container.image == spec.image
    elif actual is None:
        is_same = container.image_id == wanted.id
    else:
        is_same = bool(set(actual.digests) & set(wanted.digests)) or actual.id == wanted.id
    if is_same:
        return []
    new = f"{spec.image}@{short(image_digest)}" if image_digest else spec.image
    old = container.image
    if actual is not None and actual.digests:
        old = f"{old.partition('@')[0]}@{short(actual.digests[0])}"
    return [Change("image", old, new)]


def _declared(spec: ContainerSpec, image: ObservedImage | None) -> dict[str, str]:
    body = spec.create_body()
    host = body["HostConfig"]
    mounts = [{"Type": "volume", "Name": spec.volume, "Destination": MODELS_FOLDER}]
    if spec.ca_certificate:
        ca = {"Type": "bind", "Source": spec.ca_certificate, "Destination": CA_INSIDE, "RW": False}
        mounts.append(ca)  # type: ignore[arg-type]
    log = host["LogConfig"]
    return {
        **_environment({**(image.environment if image else {}), **spec.environment}),
        "ports": ", ".join(port_texts(Fields(host["PortBindings"]))),
        "mounts": ", ".join(mount_texts(map(Fields, mounts))),
        "restart": RESTART,
        "memory": _limit(spec.memory, "bytes"),
        "cpus": _limit(spec.nano_cpus / SECOND, "cores"),
        "devices": ", ".join(device_texts(map(Fields, host.get("DeviceRequests") or ()))) or ABSENT,
        "health check": ", ".join(health_texts(Fields(HEALTH_CHECK))),
        "log": log_text(log["Type"], log["Config"]),
        "network": NETWORK,
        SPEC_FIELD: spec.digest,
        f"label {SERVICE_LABEL}": spec.service,
    }


def _seen(
    container: ObservedContainer, spec: ContainerSpec, image: ObservedImage | None
) -> dict[str, str]:
    networks = [NETWORK if n == "default" else n for n in container.networks]
    variables = container.environment
    if image is None:
        # Without the image nobody can tell its variables from a hand's: look at ours only.
        variables = {name: value for name, value in variables.items() if name in spec.environment}
    return {
        **_environment(variables),
        "ports": ", ".join(container.ports) or ABSENT,
        "mounts": ", ".join(container.mounts) or ABSENT,
        "restart": container.restart,
        "memory": _limit(container.memory, "bytes"),
        "cpus": _limit(container.nano_cpus / SECOND, "cores"),
        "devices": ", ".join(container.devices) or ABSENT,
        "health check": ", ".join(container.health_check) or ABSENT,
        "log": container.log,
        "network": ", ".join(networks) or ABSENT,
        SPEC_FIELD: container.labels.get(SPEC_LABEL, ABSENT),
        f"label {SERVICE_LABEL}": container.labels.get(SERVICE_LABEL, ABSENT),
    }


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {f"environment {name}": value for name, value in variables.items()}


def _limit(value: float, unit: str) -> str:
    return f"{value:g} {unit}" if value else "unlimited"
