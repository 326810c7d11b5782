"""A host that is none: a Docker Engine, registries and Ollama servers on real sockets.

Used by tests only. It is honest unless told to lie (`lies`); `host.FakeHost` puts all together.
"""
