"""The variables of a server that settings stand for."""

from __future__ import annotations

CONTEXT_VARIABLE = "OLLAMA_CONTEXT_LENGTH"
# With the setting that stands for each: they are never in `environment`.
OWN_ENVIRONMENT = {
    "OLLAMA_HOST": "port and bind",
    CONTEXT_VARIABLE: "context",
    "OLLAMA_KEEP_ALIVE": "keep_alive",
    "OLLAMA_NUM_PARALLEL": "parallel",
    "OLLAMA_KV_CACHE_TYPE": "kv_cache_type",
    "OLLAMA_FLASH_ATTENTION": "flash_attention",
    "OLLAMA_MODELS": "(the volume is always at /root/.ollama)",
    "HTTP_PROXY": "http_proxy",
    "HTTPS_PROXY": "https_proxy",
    "NO_PROXY": "no_proxy",
}
