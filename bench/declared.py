"""The declaration of an installation in the words of the other tools: one source for all."""

from __future__ import annotations

from typing import Any

from tasks.containers.spec import ContainerSpec, spec_of
from tasks.declared.layers import defaults_layer, merge, toml_layer
from tasks.declared.stack import Service, Stack, declare
from tests.stack.installation import Installation


def declared(installation: Installation) -> Stack:
    """Return the validated declaration of an installation."""
    layer, _ = toml_layer(installation.stack_file)
    return declare(merge([defaults_layer(), layer]))


def ansible_variables(installation: Installation) -> dict[str, Any]:
    """Return the variables of playbook.yml."""
    stack = declared(installation)
    return {
        "prefix": stack.container_prefix,
        "image": str(stack.image_reference(stack.services[0])),
        "models_insecure": stack.model_registry_insecure,
        "log_max_size": stack.log_max_size,
        "log_max_files": str(stack.log_max_files),
        "services": [
            {
                "name": service.name,
                "port": service.port,
                "model": stack.pull_name(service.model),
                "environment": dict(_spec(stack, service).environment),
            }
            for service in stack.services
        ],
    }


def compose_variables(installation: Installation) -> dict[str, str]:
    """Return the variables of compose.yaml; environments are written beside the declaration."""
    stack = declared(installation)
    variables = {
        "PREFIX": stack.container_prefix,
        "IMAGE": str(stack.image_reference(stack.services[0])),
        "LOG_MAX_SIZE": stack.log_max_size,
        "LOG_MAX_FILES": str(stack.log_max_files),
    }
    for service in stack.services:
        path = installation.folder / f"{service.name}.env"
        pairs = _spec(stack, service).environment.items()
        path.write_text("".join(f"{name}={value}\n" for name, value in pairs))
        variables[f"{service.name.upper()}_PORT"] = str(service.port)
        variables[f"{service.name.upper()}_ENVIRONMENT"] = str(path)
    return variables


def _spec(stack: Stack, service: Service) -> ContainerSpec:
    return spec_of(stack, service, gpu="")
