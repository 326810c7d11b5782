"""Looking up what a run needs of registries, once in a run each."""

from __future__ import annotations

from tasks.containers.facts import observe
from tasks.declared.stack import Service
from tasks.registry.asker import asker_of
from tasks.registry.manifests import RegistryFault, RemoteManifest, image_for, look_up_model
from tasks.run.run import Run


def image_of(run: Run, service: Service) -> RemoteManifest | RegistryFault:
    """Look the image of a service up; its layers for the host's architecture."""
    return image_for(asker_of(run), service, lambda: observe(run).architecture)


def model_of(run: Run, model: str) -> RemoteManifest | RegistryFault:
    """Look a model up."""
    return look_up_model(asker_of(run), model)
