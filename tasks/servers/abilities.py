"""What a model can do: what its server says (/api/show), and what really comes back when asked.

A template that mentions tools earns a model the ability in the server's eyes, whether or not the
model ever calls one: so what a role needs is tried. Source: docs/api.md of Ollama.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.declared.stack import Service, Stack
from tasks.shell.answers import Answer
from tasks.shell.engine_api import ask
from tasks.shell.local import Shell
from tasks.words.foreign import BadAnswer, Fields

SHOW_SECONDS = 20
# Models for a card of 8 GB that have an ability (ollama.com/library, and clients of theirs).
CHOICES = {
    "insert": "qwen2.5-coder:1.5b or qwen2.5-coder:7b",
    "tools": "qwen3:4b or qwen3:8b",
    "thinking": "deepseek-r1:8b or qwen3:8b",
    "embedding": "nomic-embed-text",
    "vision": "gemma3:4b",
}
# So that the same model gives the same answer each time.
PLAIN = {"temperature": 0, "seed": 1}
_INSERT = {
    "prompt": "def add(a, b):\n    return ",
    "suffix": "\n\n\nprint(add(1, 2))\n",
    "options": {**PLAIN, "num_predict": 24},
}
_TOOLS = {
    "messages": [{"role": "user", "content": "What time is it in UTC? Call the tool."}],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_time",
                "description": "Get the time of a time zone",
                "parameters": {
                    "type": "object",
                    "properties": {"zone": {"type": "string"}},
                    "required": ["zone"],
                },
            },
        }
    ],
    # Some think aloud before they call.
    "options": {**PLAIN, "num_predict": 512},
}


@dataclass(frozen=True)
class Show:
    """What a server tells of a model: its abilities, and the context (tokens) that it was trained
    for, 0 where it does not say."""

    abilities: frozenset[str]
    trained_context: int = 0

    @property
    def only_embeds(self) -> bool:
        """Tell a model that turns text into vectors and says nothing."""
        return "embedding" in self.abilities and "completion" not in self.abilities


def show(shell: Shell, server: str, model: str) -> Show | None:
    """Ask a server, by its URL, for a model; None where it does not tell."""
    return parse(_ask(shell, f"{server}/api/show", {"model": model}, SHOW_SECONDS).json)


def parse(told: Any) -> Show | None:
    """Parse an answer of /api/show; None where it is none, or from before abilities were told."""
    try:
        shown = Fields(told)
        abilities = shown.texts("capabilities")
    except BadAnswer:
        return None
    if shown.value.get("capabilities") is None:
        return None
    return Show(frozenset(abilities), _context(shown))


def _context(shown: Fields) -> int:
    try:
        info = shown.object("model_info")
        return info.size(f"{info.text('general.architecture')}.context_length")
    except BadAnswer:
        return 0


def needs(stack: Stack, service: Service, model: str) -> frozenset[str]:
    """Return the abilities that the role of a service asks of one of its models."""
    role = stack.role_of(service)
    asked: set[str] = set()
    if model == service.model:
        asked |= {*role.needs}
    if model == service.agent_model and role.agents:
        asked |= {*role.agent_needs}
    return frozenset(asked)


def tried(shell: Shell, server: str, model: str, abilities: Iterable[str], limit: int) -> set[str]:
    """Ask a model for what can be tried of these abilities; returns those of which nothing came.

    `limit` is in seconds for each.
    """
    return {a for a in abilities if a in _TRIALS and not _TRIALS[a](shell, server, model, limit)}


def _fills_in(shell: Shell, server: str, model: str, limit: int) -> bool:
    told = _ask(shell, f"{server}/api/generate", {"model": model, **_INSERT}, limit).json
    return isinstance(told, Mapping) and bool(str(told.get("response") or "").strip())


def _calls_tools(shell: Shell, server: str, model: str, limit: int) -> bool:
    told = _ask(shell, f"{server}/api/chat", {"model": model, **_TOOLS}, limit).json
    message = told.get("message") if isinstance(told, Mapping) else None
    return isinstance(message, Mapping) and bool(message.get("tool_calls"))


_TRIALS = {"insert": _fills_in, "tools": _calls_tools}


def _ask(shell: Shell, url: str, question: Mapping[str, Any], limit: int) -> Answer:
    return ask(shell, url, method="POST", body={**question, "stream": False}, timeout=limit)


def lacking(
    stack: Stack, service: Service, known: Mapping[str, tuple[Collection[str], Collection[str]]]
) -> Iterator[str]:
    """Tell what the role of a service needs and its models cannot do, and what to choose.

    `known` are, by model, the abilities that its server told, and those of which nothing came when
    they were tried; a model that is not there says nothing.
    """
    role = stack.role_of(service)
    if service.role and service.role not in stack.roles:
        told = f"{service.name}: nobody declared what the role {service.role!r} needs and serves"
        known_roles = ", ".join(stack.roles)
        yield f'{told}; [roles."{service.role}"] in stack.toml does; declared are {known_roles}'
    for model in service.models:
        if model not in known:
            continue
        abilities, failed = known[model]
        asked = needs(stack, service, model)
        for ability in sorted(asked - {*abilities}):
            told = f"{service.name}: {model} lacks {ability}, which {service.role!r} needs"
            yield f"{told}; {_remedy(service, model, ability)}"
        for ability in sorted(asked & {*abilities} & {*failed}):
            told = f"{service.name}: {model} claims {ability}, and nothing of it came when asked"
            yield f"{told}; {_remedy(service, model, ability)}"
    if role.agents and service.active and service.context < role.agent_context:
        agents = ", ".join(role.agents)
        yield (
            f"{service.name}: a context of {service.context} is little for the agents {agents},"
            f" which are of use from {role.agent_context} on; ./main.sh plan shows what fits"
        )


def _remedy(service: Service, model: str, ability: str) -> str:
    setting = "agent" if model == service.agent_model and model != service.model else "model"
    if ability == "tools" and setting == "model":
        setting = "agent"
    return f"choose another {setting} for it, such as {CHOICES.get(ability, 'one that has it')}"
