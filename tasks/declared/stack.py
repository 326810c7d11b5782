"""The declared stack: validated once, with every fault at once, and frozen from there on."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from tasks.declared import messages
from tasks.declared.environment import OWN_ENVIRONMENT
from tasks.declared.forms import absolute_path, proxy, unproxied
from tasks.declared.layers import RUN_OPTIONS_SOURCE, SETTINGS, Merged, fault
from tasks.declared.references import ImageReference, ModelReference
from tasks.words.failures import Failed, Failure
from tasks.words.messages import Text
from tasks.words.plain import one_line, plain
from tasks.words.printable import printable
from tasks.words.secrets.shapes import without_secrets
from tasks.words.secrets.variables import is_private_setting

NAME = r"^[a-z0-9][a-z0-9_.-]*$"
OLLAMA_PORT = 11434
MODELS_FOLDER = "/root/.ollama"
# Endings under which copies of a model are kept: of the proven one before it, for a rollback, and
# of the one that an upgrade is just replacing.
KEPT, REPLACED = "-previous", "-replaced"
# And of the tag of an image that an upgrade pulled and did not prove yet.
FOLLOWING = "-next"
LEAST_MEMORY = 6 * 1024**2
# Longer than any version or duration.
LONGEST = 40
# What pydantic says in words of Python.
_PLAIN_WORDS = {
    "tuple_type": messages.NOT_A_LIST(),
    "dict_type": messages.NOT_A_TABLE(),
    "model_type": messages.NOT_A_TABLE(),
    "extra_forbidden": messages.NO_SUCH_SETTING(),
    "missing": messages.MISSING(),
    "string_pattern_mismatch": messages.NOT_A_NAME(),
}
_BYTES = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

GpuMode = Literal["auto", "required", "off"]
# What /api/show calls the abilities of a model (types/model/capability.go of Ollama).
Ability = Literal["completion", "tools", "insert", "thinking", "embedding", "vision"]
# "auto" stands for all that are found on the host.
Client = Literal[
    "auto",
    "kilo",
    "kilo-legacy",
    "continue",
    "opencode",
    "aider",
    "llm",
    "vscode",
    "open-webui",
    "shell",
]


class DeclarationError(Failed):
    """The declaration is invalid; `failures` are all that is wrong in it."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        count = len(self.failures)
        cause = messages.ONE_FAULT(lines=lines) if count == 1 else None
        super().__init__(
            cause or messages.MANY_FAULTS(count=count, lines=lines), messages.MEND_SETTINGS()
        )

    @property
    def faults(self) -> list[str]:
        """Every fault in one line, with its file and key."""
        # They name keys of tables, which are as foreign to us as their values.
        return [printable(f"{failure.what}: {failure.cause}") for failure in self.failures]


def on_hosts(failure: Failure, hosts: Iterable[str]) -> Failure:
    """Return a fault that only some hosts have, naming them."""
    cause = messages.ON_HOSTS(fault=failure.cause, hosts=", ".join(hosts))
    return replace(failure, cause=cause)


def _size(value: str) -> str:
    if value and not re.fullmatch(r"[1-9][0-9]{0,14}[bkmg]?", value):
        raise ValueError(messages.NOT_A_SIZE())
    return value


def _keep_alive(value: str) -> str:
    if not re.fullmatch(r"-1|0|([0-9]+(\.[0-9]+)?(ms|s|m|h))+", value) or len(value) > LONGEST:
        raise ValueError(messages.NOT_A_DURATION())
    return value


def _address(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
        if "%" in value:
            # The zone of an address is any text, and Docker takes none.
            raise ValueError
        return str(address)
    except ValueError:
        raise ValueError(messages.NOT_AN_ADDRESS()) from None


def _model(value: str) -> str:
    # Ollama finds a model whatever the case of its letters.
    if value.lower().endswith((KEPT, REPLACED)):
        raise ValueError(messages.NAME_OF_A_COPY(kept=KEPT, replaced=REPLACED))
    return str(ModelReference.parse(value))


def _service_name(value: str) -> str:
    """Refuse the names that are made of another service's for what is set aside or kept of it."""
    if value.endswith((KEPT, REPLACED, FOLLOWING)):
        raise ValueError(messages.NAME_SET_ASIDE(kept=KEPT, replaced=REPLACED, following=FOLLOWING))
    return value


def _image(value: str) -> str:
    ImageReference.parse(value)
    return value


def _registry(value: str) -> str:
    if value and not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?", value):
        raise ValueError(messages.NOT_A_REGISTRY())
    return value


def _memory(value: str) -> str:
    _size(value)
    if value and int(value.rstrip("bkmg")) * _BYTES.get(value[-1], 1) < LEAST_MEMORY:
        raise ValueError(messages.TOO_LITTLE_MEMORY())
    return value


def _database(value: str) -> str:
    if not value.endswith(".db"):
        raise ValueError(messages.NOT_A_DATABASE())
    return value


def _lock(value: str) -> str:
    if not value.endswith(".lock"):
        raise ValueError(messages.NOT_A_LOCK())
    return value


def _log_file(value: str) -> str:
    if value and not value.endswith(".log"):
        raise ValueError(messages.NOT_A_LOG())
    return value


def _version(value: str) -> str:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", value) or len(value) > LONGEST:
        raise ValueError(messages.NOT_A_VERSION())
    return value


def _pin(value: str) -> str:
    return _version(value) if value else value


def _mirror(value: str) -> str:
    """Check the address of a mirror; what it holds ends up in files that everybody reads."""
    if "@" in value:
        raise ValueError(messages.PASSWORD_IN_MIRROR())
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%+-]+)*/?", value):
        raise ValueError(messages.NOT_A_MIRROR())
    return value.rstrip("/")


def _fingerprint(value: str) -> str:
    found = value.replace(" ", "").upper()
    if not re.fullmatch(r"[0-9A-F]{40}", found):
        raise ValueError(messages.NOT_A_FINGERPRINT())
    return found


def _client_host(value: str) -> str:
    host = r"\[[0-9a-fA-F:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
    if value and not re.fullmatch(host, value):
        raise ValueError(messages.NOT_A_HOST())
    return value.strip("[]")


def _agent_model(value: str) -> str:
    return _model(value) if value else value


Name = Annotated[str, StringConstraints(pattern=NAME, max_length=60)]
ServiceName = Annotated[Name, AfterValidator(_service_name)]
Model = Annotated[str, AfterValidator(_model)]
Size = Annotated[str, AfterValidator(_size)]
Memory = Annotated[str, AfterValidator(_memory)]
Database = Annotated[str, AfterValidator(_database)]
Lock = Annotated[str, AfterValidator(_lock)]
LogFile = Annotated[str, AfterValidator(_log_file)]
KeepAlive = Annotated[str, AfterValidator(_keep_alive)]
Address = Annotated[str, AfterValidator(_address)]
Registry = Annotated[str, AfterValidator(_registry)]
Proxy = Annotated[str, AfterValidator(proxy)]
Unproxied = Annotated[str, AfterValidator(unproxied)]
Mirror = Annotated[str, AfterValidator(_mirror)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
AbsolutePath = Annotated[str, AfterValidator(absolute_path)]
Version = Annotated[str, AfterValidator(_version)]
Pin = Annotated[str, AfterValidator(_pin)]
ClientHost = Annotated[str, AfterValidator(_client_host)]
UserName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\$?$", max_length=32)
]
AgentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]
Cpus = Annotated[float, Field(ge=0, le=1024)]
Parallel = Annotated[int, Field(ge=1, le=64)]
KvCacheType = Literal["f16", "q8_0", "q4_0"]


def service_url(bind: str, port: int) -> str:
    """Return the URL by which the host reaches a port that is published on an address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("*")
    @classmethod
    def _only_plain_texts(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse, in whatever field, what could not stand in another program's language."""
        if info.field_name == "environment":
            # Docker gets each variable as it is: quotes are fine there (see _service_faults).
            return value
        texts = value if isinstance(value, tuple | dict) else (value,)
        for text in texts:
            if isinstance(text, str):
                plain(text)
        return value


class Role(_Settings):
    """What a role asks of the models of its service, and the agents of Kilo Code that it serves.

    `needs` are the abilities that the main model must have, `agent_needs` those of the model that
    the agents use, and `agent_context` the least context (tokens) with which they are of use.
    """

    needs: tuple[Ability, ...] = Field(default=(), strict=False)
    agents: tuple[AgentName, ...] = Field(default=(), strict=False)
    agent_needs: tuple[Ability, ...] = Field(default=(), strict=False)
    agent_context: Annotated[int, Field(ge=0, le=1048576)] = 0


class _ServiceDefaults(_Settings):
    """What the stack sets for every service and a service may set for itself."""

    image: Annotated[str, AfterValidator(_image)]
    bind: Address
    allow_public: bool
    keep_alive: KeepAlive
    parallel: Parallel
    kv_cache_type: KvCacheType
    flash_attention: bool
    memory: Memory
    cpus: Cpus
    gpu: GpuMode
    gpu_partial: bool


class Service(_ServiceDefaults):
    """One declared Ollama server with its models. Sizes are Docker's ("12g"), context is tokens."""

    name: ServiceName
    model: Model
    role: str = ""
    also: tuple[Model, ...] = Field(default=(), strict=False)
    agent: Annotated[str, AfterValidator(_agent_model)] = ""
    port: Annotated[int, Field(ge=1, le=65535)]
    active: bool = True
    context: Annotated[int, Field(ge=256, le=1048576)]
    environment: dict[str, str] = {}

    @cached_property
    def models(self) -> tuple[str, ...]:
        """All declared models of the server, the main one first."""
        return (self.model, *self.also, *self._agent_alone)

    @property
    def _agent_alone(self) -> tuple[Model, ...]:
        """The agents' model, where it is none of the others."""
        return (self.agent,) if self.agent not in ("", self.model, *self.also) else ()

    @property
    def agent_model(self) -> str:
        """The model that agents use: the main one, unless another one is declared for them."""
        return self.agent or self.model

    @cached_property
    def url(self) -> str:
        """Return the address at which the host itself reaches the server."""
        return service_url(self.bind, self.port)


class RunOptions(_Settings):
    """Consents and choices of one run, given with --data. Without one the answer is no."""

    only: str = ""
    adopt: str = ""
    prune: bool = False
    purge: bool = False
    allow_docker_restart: bool = False
    restart: bool = False
    lock_wait: Annotated[int, Field(ge=0, le=86400)] = 0
    parts: Literal["all", "image", "models"] = "all"


class Stack(_ServiceDefaults):
    """The whole declaration of one host."""

    services: tuple[Service, ...]
    roles: dict[str, Role]
    driver: Literal["check", "install"]
    driver_minimum: Version
    cuda_minimum: Version
    docker_source: Literal["auto", "docker", "distro"]
    docker_version: Pin
    docker_group: bool
    toolkit_version: Pin
    gpu_attach: Literal["auto", "gpus", "cdi"]
    docker_apt_url: Mirror
    docker_apt_key: Fingerprint
    toolkit_apt_url: Mirror
    toolkit_apt_key: Fingerprint
    docker_socket: AbsolutePath
    live_restore: bool
    disk_reserve_gb: Annotated[float, Field(ge=0)]
    vram_budget_gb: Annotated[float, Field(ge=0, le=10_000)]
    vram_reserve_gb: Annotated[float, Field(ge=0, le=10_000)]
    clients: Annotated[tuple[Client, ...], Field(strict=False)]
    client_users: Annotated[tuple[UserName, ...], Field(strict=False)]
    client_host: ClientHost
    client_defaults: bool
    kilo_managed: bool
    container_prefix: Name
    database: Database
    lock: Lock
    log_file: LogFile
    keep_previous: bool
    check_upgrades: bool
    image_mirror: Registry
    image_mirror_insecure: bool
    model_registry: Registry
    model_registry_insecure: bool
    http_proxy: Proxy
    https_proxy: Proxy
    no_proxy: Unproxied
    ca_certificate: AbsolutePath
    start_timeout: Annotated[int, Field(ge=1, le=3600)]
    generate_timeout: Annotated[int, Field(ge=1, le=7200)]
    pull_stall: Annotated[int, Field(ge=1, le=3600)]
    pull_retries: Annotated[int, Field(ge=0, le=100)]
    log_max_size: Annotated[Size, Field(min_length=1)]
    log_max_files: Annotated[int, Field(ge=1, le=1000)]
    refresh_seconds: Annotated[float, Field(ge=0.2, le=3600)]
    options: RunOptions = RunOptions()

    @property
    def selected(self) -> tuple[Service, ...]:
        """The services that this run converges: all, or the one that `only` names."""
        only = self.options.only
        return tuple(s for s in self.services if not only or s.name == only)

    def role_of(self, service: Service) -> Role:
        """Return what the role of a service asks for: nothing, where nobody declared that role."""
        return self.roles.get(service.role, Role())

    @property
    def has_gpu_service(self) -> bool:
        """Tell whether any active service may use the GPU."""
        return any(s.active and s.gpu != "off" for s in self.services)

    def container_name(self, service: Service) -> str:
        """Return the name of a service's container, which is the name of its volume too."""
        return f"{self.container_prefix}{service.name}"

    def image_reference(self, service: Service) -> ImageReference:
        """Return where the image of a service is pulled from: the mirror, if there is one."""
        return ImageReference.parse(service.image).at(self.image_mirror)

    def pull_name(self, model: str) -> str:
        """Return the name under which Ollama pulls a model: at the registry, if one is set."""
        return ModelReference.parse(model).at(self.model_registry)


_SERVICE_KEYS = tuple(key for key in Service.model_fields if key != "name")
_STACK_KEYS = tuple(key for key in Stack.model_fields if key not in ("services", "options"))
_OPTION_KEYS = tuple(RunOptions.model_fields)


def declare(merged: Merged) -> Stack:
    """Validate the merged layers. Raises DeclarationError with all faults at once."""
    faults = list(merged.faults)
    values = dict(merged.values)
    tables = values.pop("models", {})
    if values.pop(SETTINGS.key, None) is not None:
        source = merged.source_of(SETTINGS.key)
        faults.append(fault(source, SETTINGS.key, messages.VERSION_ELSEWHERE()))
    faults += _unknown(values, (*_STACK_KEYS, *_OPTION_KEYS, "models"), "", merged)
    top = {key: values[key] for key in _STACK_KEYS if key in values}
    chosen = {key: values[key] for key in _OPTION_KEYS if key in values}
    options, wrong = _validate(RunOptions, chosen, "", merged)
    faults += wrong
    services, wrong = _services(tables, top, merged)
    faults += wrong
    stack, wrong = _validate(Stack, {**top, "services": ()}, "", merged)
    faults += wrong
    faults += _option_faults(tables, chosen, merged)
    if faults or stack is None or options is None:
        raise DeclarationError(faults)
    return stack.model_copy(update={"services": tuple(services), "options": options})


def _services(
    tables: Mapping[str, Any], top: Mapping[str, Any], merged: Merged
) -> tuple[list[Service], list[Failure]]:
    services: list[Service] = []
    faults: list[Failure] = []
    if not tables:
        faults.append(fault(merged.source_of("models"), "models", messages.NO_SERVICE()))
    inherited = {key: top[key] for key in _ServiceDefaults.model_fields if key in top}
    for name, table in tables.items():
        prefix = f"models.{name}."
        faults += _unknown(table, _SERVICE_KEYS, prefix, merged)
        known = {key: value for key, value in table.items() if key in _SERVICE_KEYS}
        values = {**inherited, **known, "name": name}
        service, wrong = _validate(Service, values, prefix, merged, own=known)
        faults += wrong
        if service is not None:
            services.append(service)
            faults += _service_faults(service, merged)
    return services, faults + list(_collisions(tables, merged))


M = TypeVar("M", bound=BaseModel)


def _validate(
    model: type[M],
    values: Mapping[str, Any],
    prefix: str,
    merged: Merged,
    own: Mapping[str, Any] | None = None,
) -> tuple[M | None, list[Failure]]:
    """Validate one table. A fault of an inherited value is left to the table that holds it."""
    try:
        return model.model_validate(dict(values)), []
    except ValidationError as error:
        details = error.errors()
    faults = [
        _fault(detail, prefix, merged)
        for detail in details
        if own is None
        or detail["loc"][0] in own
        or detail["loc"][0] not in values
        or detail["loc"][0] == "name"
    ]
    return None, faults


def _fault(detail: ErrorDetails, prefix: str, merged: Merged) -> Failure:
    path = (prefix + ".".join(str(part) for part in detail["loc"])).removesuffix(".name")
    source, value = merged.source_of(path), detail["input"]
    if detail["type"] == "missing" or is_private_setting(path, value):
        return fault(source, path, _cause(detail))
    shown = without_secrets(repr(value))
    return fault(source, path, messages.WRONG_VALUE_IS(fault=_cause(detail), value=shown))


def _cause(detail: ErrorDetails) -> Text:
    """Return what is wrong with a value; where pydantic found it, mostly in its words."""
    kind, value = detail["type"], detail["input"]
    if kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[kind]
    if kind == "value_error":
        # A check of ours said so.
        told: Text = detail["ctx"]["error"].args[0]
        return told
    words = messages.WRONG_VALUE(words=detail["msg"].removeprefix("Input "))
    if kind == "string_type" and isinstance(value, int | float):
        return messages.QUOTES_MISSING(fault=words)
    return words


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], prefix: str, merged: Merged
) -> Iterator[Failure]:
    for key in table:
        if key in known:
            continue
        near = difflib.get_close_matches(key, known, n=1)
        cause = messages.OTHER_SETTING(near=near[0]) if near else messages.NO_SUCH_SETTING()
        path = f"{prefix}{key}"
        yield fault(merged.source_of(path), path, cause)


def _service_faults(service: Service, merged: Merged) -> Iterator[Failure]:
    for key, cause in _service_causes(service):
        path = f"models.{service.name}.{key}"
        source = merged.source_of(path)
        if path not in merged.sources and key in merged.sources:
            source = merged.sources[key]
        yield fault(source, path, cause)


def _service_causes(service: Service) -> Iterator[tuple[str, Text]]:
    """Yield what in a service does not go together: each with its key."""
    for variable in sorted(set(service.environment) & set(OWN_ENVIRONMENT)):
        setting = OWN_ENVIRONMENT[variable]
        yield f"environment.{variable}", messages.OWN_SETTING(setting=setting)
    for variable in service.environment:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            yield f"environment.{variable}", messages.NOT_A_VARIABLE()
    for variable, value in service.environment.items():
        try:
            # Docker takes a variable as it is, with its lines.
            for line in value.split("\n"):
                one_line(line.replace("\t", " "))
        except ValueError as error:
            yield f"environment.{variable}", error.args[0]
    if not ipaddress.ip_address(service.bind).is_loopback and not service.allow_public:
        yield "bind", messages.PUBLIC(address=service.bind)
    if service.kv_cache_type != "f16" and not service.flash_attention:
        yield "kv_cache_type", messages.NEEDS_FLASH_ATTENTION(kind=service.kv_cache_type)
    if len(set(service.models)) != len(service.models):
        yield "also", messages.MODEL_TWICE()


def _collisions(tables: Mapping[str, Any], merged: Merged) -> Iterator[Failure]:
    """Two services on one port. Names and volumes cannot collide: both come from the key."""
    seen: dict[int, str] = {}
    for name, table in tables.items():
        port = table.get("port")
        if not isinstance(port, int):
            continue
        other = seen.setdefault(port, name)
        if other != name:
            path = f"models.{name}.port"
            cause = messages.SAME_PORT(port=port, other=other)
            yield fault(merged.source_of(path), path, cause)


def _option_faults(
    tables: Mapping[str, Any], chosen: Mapping[str, Any], merged: Merged
) -> Iterator[Failure]:
    for key in chosen:
        source = merged.source_of(key)
        if source != RUN_OPTIONS_SOURCE:
            yield fault(source, key, messages.OF_ONE_RUN(key=key))
    for key in ("only", "adopt"):
        value = chosen.get(key)
        if isinstance(value, str) and value and value not in tables:
            cause = messages.UNKNOWN_SERVICE(name=repr(value), names=", ".join(tables))
            yield fault(merged.source_of(key), key, cause)
