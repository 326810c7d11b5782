"""Why a model does not fit on the GPU, and what would make it fit."""

from __future__ import annotations

from tasks.words.messages import Message

TOO_BIG = Message(
    "vram.too-big",
    "it takes {needed} with a context of {context}, and {free} may be used:"
    " a part of it would run on the CPU, many times slower",
)
OR_PARTIAL = Message("vram.or-partial", "{advice}; or allow it with gpu_partial = true")
CHANGE_SETTINGS = Message("vram.change-settings", "set {settings} in [models.{service}]")
SMALLER_MODEL = Message(
    "vram.smaller-model", "declare a smaller model: the weights alone are {weights}"
)
