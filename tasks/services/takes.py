"""Who takes each step of a service: the one table of the executor."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.run.run import Run
from tasks.run.work import Take
from tasks.servers.proof import prove_model
from tasks.services import apply, copies, image, pull
from tasks.services.moved import Moved
from tasks.words.steps import Action, Step


def _tidy_images(run: Run, step: Step, moved: Moved) -> None:
    image.tidy_images(run, step.target.service)


def _tidy_models(run: Run, step: Step, moved: Moved) -> None:
    copies.tidy_models(run, step.target.service)


def _prove_model(run: Run, step: Step, moved: Moved) -> None:
    prove_model(run, step.target.service, step.target.model)


TAKES: Mapping[Action, Take[Moved]] = {
    Action.PULL_IMAGE: image.pull_image,
    Action.TAG_IMAGE: image.tag_image,
    Action.REMOVE_IMAGE: image.remove_image,
    Action.TIDY_IMAGES: _tidy_images,
    Action.CREATE_VOLUME: apply.create_volume,
    Action.REMOVE_VOLUME: apply.remove_volume,
    Action.SET_ASIDE: apply.set_aside,
    Action.PUT_BACK: apply.put_back,
    Action.RENAME: apply.rename,
    Action.CREATE: apply.create,
    Action.START: apply.start,
    Action.UNPAUSE: apply.unpause,
    Action.STOP: apply.stop,
    Action.PROVE: apply.prove,
    Action.REMOVE: apply.remove,
    Action.PULL_MODEL: pull.pull_model,
    Action.RESTORE_MODEL: pull.replace_model,
    Action.UPGRADE_MODEL: pull.replace_model,
    Action.KEEP_MODEL: copies.keep_model,
    Action.REMOVE_MODEL: copies.remove_model,
    Action.TIDY_MODELS: _tidy_models,
    Action.PROVE_MODEL: _prove_model,
}
