"""The models of the lab: their names, what they can do, and what they say."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lab.weights import Shape, Weights

NAMESPACE = "library"
LATEST = "latest"

# Capabilities come from the template: one that mentions .Tools has tools, .Suffix has insert.
_TOOLS = """{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}

# Tools
{{- range .Tools }}
{"type": "function", "function": {{ .Function }}}
{{- end }}

For each function call, return a json object inside <tool_call></tool_call> tags.
{{- end }}<|im_end|>
{{ end }}"""
_CHAT = """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}
{{- range .ToolCalls }}
<tool_call>
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>
{{- end }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
_FILL = """{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>
{{- else }}"""
TEMPLATE_QWEN = f"{_FILL}{_TOOLS}{_CHAT}{{{{ end }}}}"
TEMPLATE_DEEPSEEK = """{{- if .System }}{{ .System }}{{ end }}
{{- range .Messages }}
{{- if eq .Role "user" }}<User>{{ .Content }}
{{- else if eq .Role "assistant" }}<Assistant>{{ .Content }}
{{- end }}
{{- end }}<Assistant>"""
TEMPLATE_MISTRAL = f"{_TOOLS}{_CHAT}"
# Ollama takes the words around .Thinking for the tags that thoughts stand in.
TEMPLATE_THINKER = """{{- if .System }}{{ .System }}{{ end }}
{{- range .Messages }}
{{- if eq .Role "user" }}<User>{{ .Content }}
{{- else if eq .Role "assistant" }}<Assistant>
{{- if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}
{{- end }}
{{- end }}<Assistant>"""

# The tool that tiny-caller calls, whatever it is asked, where a request offers it.
CALLED_TOOL = "get_time"
CALLED_WITH = {"zone": "UTC"}


@dataclass(frozen=True)
class TinyModel:
    """One tag of a model. Without parameters: each layer costs Ollama a second of every pull."""

    name: str
    tag: str
    template: str
    weights: Weights

    @property
    def repository(self) -> str:
        """The repository at the registry."""
        return f"{NAMESPACE}/{self.name}"


def _sentence(name: str, tag: str, extra: str = "") -> tuple[str, ...]:
    """Return the sentence as tokens, each of them once."""
    return (
        "I am ",
        f"{name} {tag}",
        ", a tiny",
        " stand-in",
        " that the lab",
        " made.",
        extra or " Whatever you ask,",
        " this is",
        " all I",
        " know",
        " to say.",
    )


_CALL = ('{"name": "', CALLED_TOOL, '", "arguments"', ": ", json.dumps(CALLED_WITH), "}")
_THOUGHT = ("<think>", "Someone", " asks me.", "</think>")


def _tiny(name: str, tag: str, template: str, seed: int) -> TinyModel:
    return TinyModel(name, tag, template, Weights(f"{name} {tag}", _sentence(name, tag), seed))


MODELS = (
    _tiny("tiny-qwen", "v1", TEMPLATE_QWEN, 11),
    _tiny("tiny-qwen", "v2", TEMPLATE_QWEN, 12),
    _tiny("tiny-deepseek", "v1", TEMPLATE_DEEPSEEK, 21),
    _tiny("tiny-deepseek", "v2", TEMPLATE_DEEPSEEK, 22),
    _tiny("tiny-mistral", "v1", TEMPLATE_MISTRAL, 31),
    _tiny("tiny-mistral", "v2", TEMPLATE_MISTRAL, 32),
    TinyModel("tiny-caller", "v1", TEMPLATE_QWEN, Weights("tiny-caller v1", _CALL, 71)),
    TinyModel(
        "tiny-thinker",
        "v1",
        TEMPLATE_THINKER,
        Weights("tiny-thinker v1", (*_THOUGHT, *_sentence("tiny-thinker", "v1")), 81),
    ),
    # The registry refuses it to an older Ollama (HTTP 412).
    _tiny("tiny-new", "v1", TEMPLATE_QWEN, 41),
    TinyModel(
        "tiny-large",
        "v1",
        TEMPLATE_QWEN,
        Weights(
            "tiny-large v1",
            _sentence("tiny-large", "v1", " My weights are long enough for a cut pull;"),
            51,
            Shape(blocks=2, width=832),
        ),
    ),
    TinyModel(
        "tiny-broken",
        "v1",
        TEMPLATE_QWEN,
        Weights(
            "tiny-broken v1", _sentence("tiny-broken", "v1"), 61, missing="blk.0.attn_q.weight"
        ),
    ),
)
# Tags that move: repository name → the tag that they begin at.
MOVING = {"tiny-qwen": "v1", "tiny-deepseek": "v1", "tiny-mistral": "v1"}
