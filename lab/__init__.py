"""A real stack without internet or GPU: engine, registries, Ollama and tiny models, on loopback."""
