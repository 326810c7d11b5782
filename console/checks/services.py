"""The services: whose their names and ports are, how they stand, and a generation of each."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.finding import CONVERGE, Check, failed, notable
from console.checks.looked import Looked
from console.looking.services import ServiceView, interrupted, views
from tasks.containers.observed import ObservedContainer, Snapshot, seeing
from tasks.containers.plan import Wanted, has_inherited_labels, plan_orphans, refusal
from tasks.containers.spec import PREVIOUS, spec_as_attached
from tasks.database.rows import is_active
from tasks.declared.stack import Service, Stack
from tasks.host.facts import holders_script
from tasks.host.ports import port_faults, port_holders, taken
from tasks.records.proven import ServiceLock
from tasks.servers.generation import Proof, generate, is_as_declared, is_slower
from tasks.shell.curl import curl_words, plain_curl
from tasks.shell.local import LocalShell, Shell
from tasks.words.failures import Failure, StepFailed

LOOPBACK = ("127.", "[::1]", "::1")
# A name that nobody resolves (RFC 2606): a server that looks at the Host header refuses it.
FOREIGN_HOST = "ollama-stack.invalid"


def service_checks(looked: Looked) -> Iterator[Check]:
    """Check every service, then what else bears our label, then that each generates."""
    stack, snapshot = looked.stack, looked.snapshot
    refused = {
        s.name: refusal(Wanted(s, spec_as_attached(stack, s, None)), snapshot)
        for s in stack.services
    }
    for view in views(stack, snapshot, looked.lock):
        yield service_check(view, refused[view.name])
    for name in interrupted(stack, snapshot, looked.lock):
        yield Check(f"container {name}", False, "a replacement was interrupted", CONVERGE)
    yield from leftover_checks(stack, snapshot)
    yield from publication_checks(stack, snapshot)
    yield from host_header_checks(looked.plain, stack, snapshot)
    for service in stack.services:
        if is_active(service, snapshot):
            yield generation_check(stack, service, snapshot, looked.proven(service))


def service_check(view: ServiceView, refused: Failure | None = None) -> Check:
    """Judge a service by its row; `refused`: why no converge would touch it (fault 33)."""
    finding = f"{view.state}, {view.installed_version or f'{view.model} is not there'}"
    if view.unknown:
        return Check(view.name, False, f"not known: {view.unknown}", seeing(view.container))
    if refused is not None:
        return Check(view.name, False, f"{refused.what}: {refused.cause}", refused.remedy)
    if view.drift:
        finding += "; drift: " + ", ".join(
            f"{change['field']} {change['old']} → {change['new']}" for change in view.drift
        )
    if view.left_gpu:
        finding += f"; {view.left_gpu}"
        if view.is_well:
            return notable(view.name, finding, "nvidia-smi shows what else uses the card")
    return Check(view.name, view.is_well, finding, "" if view.is_well else CONVERGE)


def port_checks(looked: Looked) -> Iterator[Check]:
    """Name who holds the port of a service and is not our container (fault 20)."""
    stack, listening = looked.stack, looked.host.listening
    ours = looked.snapshot.ports_of(stack.container_prefix)
    services = taken(stack, listening, ours)
    if not services:
        return
    script = holders_script([service.port for service in services])
    holders = port_holders(looked.root.sh(script).stdout.split("\n"))
    published = looked.snapshot.published_by_others()
    for failure in port_faults(stack, listening, holders, ours, published):
        yield failed(f"{failure.service}: port", failure)


def leftover_checks(stack: Stack, snapshot: Snapshot) -> Iterator[Check]:
    """Name what is ours and belongs to no declared service."""
    declared = {service.name: stack.container_name(service) for service in stack.services}
    for container in snapshot.containers:
        name = declared.get(container.service, "")
        is_stray = container.name not in (name, name + PREVIOUS)
        is_ours = container.is_of(stack.container_prefix) and not has_inherited_labels(container)
        if name and is_stray and is_ours:
            told = (
                f"container {container.name} says that it is {container.service}: renamed by hand"
            )
            yield Check("leftover", False, told, CONVERGE)
    _, notes = plan_orphans(stack.container_prefix, {*declared}, snapshot, prune=False, purge=False)
    for note in notes:
        finding, _, remedy = note.partition("; ")
        yield notable("leftover", finding, remedy)


def publication_checks(stack: Stack, snapshot: Snapshot) -> Iterator[Check]:
    """Say which services other machines can reach, and whether that is declared (fault 26)."""
    for service in stack.services:
        container = snapshot.named(stack.container_name(service))
        if container is None or not container.is_of(stack.container_prefix):
            continue
        public = [text for text in container.ports if not text.startswith(LOOPBACK)]
        if not public or not container.holds_ports:
            continue
        yield _publication(service, container, public)


def _publication(service: Service, container: ObservedContainer, public: list[str]) -> Check:
    what, where = f"{service.name}: address", ", ".join(text.split("->")[0] for text in public)
    reach = (
        f"published on {where}: other machines can reach it without a password,"
        " and Docker's published ports pass ufw by"
    )
    is_declared = any(text.startswith(f"{service.bind}:") for text in public)
    if not is_declared:
        return Check(what, False, f"{reach}; {service.bind} is declared", CONVERGE)
    remedy = f'if it is not meant: bind = "127.0.0.1" for {service.name}, then ./main.sh setup'
    return notable(what, reach, remedy)


def host_header_checks(shell: Shell, stack: Stack, snapshot: Snapshot) -> Iterator[Check]:
    """Ask each server under a foreign name, as a rebound page would (fault 27)."""
    names = [s for s in stack.services if snapshot.server(s.name).version]
    answering = [service.name for service in names if _answers_to_anybody(shell, service)]
    if answering:
        yield notable(
            "Host header",
            f"{', '.join(answering)}: any Host header is answered, so that a web page can reach"
            " them by DNS rebinding: Ollama's own guard is off in its image",
            "a resolver that drops private addresses of public names (dnsmasq: stop-dns-rebind)",
        )


def _answers_to_anybody(shell: Shell, service: Service) -> bool:
    url = f"{service.url}/api/version"
    words = curl_words([url], timeout=5, trailer="%{http_code}")
    asked = plain_curl([*words, "-o", "/dev/null", "-H", f"Host: {FOREIGN_HOST}"])
    return shell.sh(asked).stdout.strip() == "200"


def generation_check(
    stack: Stack, service: Service, snapshot: Snapshot, entry: ServiceLock
) -> Check:
    """Generate for real, one service after the other, and unload what that loaded."""
    loaded = {model.name for model in snapshot.server(service.name).loaded}
    try:
        proof = generate(
            LocalShell(),
            service.url,
            service.model,
            stack.container_name(service),
            limit=stack.generate_timeout,
            unload=service.model not in loaded,
        )
    except StepFailed as error:
        return Check(f"{service.name}: generation", False, error.cause, error.remedy)
    return judged(proof, service, entry, stack.container_name(service))


def judged(proof: Proof, service: Service, entry: ServiceLock, container: str) -> Check:
    """Judge a generation: by where it ran, and by what the service could do when it was proven."""
    what = f"{service.name}: generation"
    finding = proof.finding
    known = entry.rate(proof.model, proof.verdict)
    if is_slower(proof, known):
        finding += f"; {known:.0f} when it was proven"
    had_gpu = proof.model in entry.gpu_models and service.gpu != "off"
    if is_as_declared(proof, service) or not (had_gpu or service.gpu == "required"):
        return Check(what, True, finding)
    finding += "; it was on the GPU when it was proven" if had_gpu else ""
    remedy = (
        "nvidia-smi shows what else uses the card; after an update of the driver:"
        f" docker restart {container}; ./main.sh plan shows what fits"
    )
    return Check(what, False, finding, remedy)
