"""The control that the paper's tables lack: the dense network, trained for as many epochs as the compressed one.

A compressed network is trained on after each step, so it sees the images for longer than its reference. What these
epochs give without any compression is measured here on LeNet-300-100, with the same recipes and over three seeds.
"""

import copy
import statistics

from lightnn.papers.deep_compression.experiment import SUBJECTS, Pipeline, stages_of
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session

SEEDS = 3
NETWORK = "lenet_300_100"
ROWS = ("reference", "dense, trained on", "pruned", "shared, not tuned", "dense, trained on again", "shared and tuned")


def control(session: Session) -> dict:
    """Test errors of the dense and the compressed networks for SEEDS seeds.

    {"network": its name, "epochs": {row: epochs}, "runs": {seed: {row: error %}}}, where a row is one of ROWS.
    """
    subject, runs = SUBJECTS[NETWORK], {}
    pipeline = subject.quick if session.quick else subject.full
    for each in session.seeds(SEEDS):
        runs[str(each)] = compare(session.of_seed(each), pipeline)
        session.say(f"seed {each}: " + ", ".join(f"{row} {error:.2f} %" for row, error in runs[str(each)].items()))
    first, tuned = pipeline.training.epochs, pipeline.tuning.epochs
    retrained = first + sum(recipe.epochs for recipe in pipeline.retraining)
    epochs = (first, retrained, retrained, retrained, retrained + tuned, retrained + tuned)
    return {"network": NETWORK, "epochs": dict(zip(ROWS, epochs, strict=True)), "runs": runs}


def compare(session: Session, pipeline: Pipeline) -> dict[str, float]:
    """The test error in % of each of ROWS, for one seed. A dense network is trained on with the recipes of the
    pruned or shared one after it."""
    subject, images = SUBJECTS[NETWORK], stage.mnist()
    experiment = Experiment(f"seed {session.seed}", subject, images, session)
    first, *pruning, tuning = stages_of(pipeline)
    reference, _ = experiment.network(first.name, experiment.fresh(), first.recipe)
    pruned = dense = reference
    for each in pruning:
        pruned, _ = experiment.network(each.name, pruned, each.recipe, each.prepare)
        dense, _ = experiment.network(f"dense: {each.name}", dense, each.recipe)
    shared = copy.deepcopy(pruned)
    tuning.prepare(shared)
    tuned, _ = experiment.network(tuning.name, pruned, tuning.recipe, tuning.prepare)
    longer, _ = experiment.network(f"dense: {tuning.name}", dense, tuning.recipe)
    networks = dict(zip(ROWS, (reference, dense, pruned, shared, longer, tuned), strict=True))
    return {row: experiment.test(row, model) for row, model in networks.items()}


def format_control(result: dict) -> str:
    """A row for each network: its epochs, the test error of each seed, their mean and spread."""
    runs = result["runs"]
    heads = "".join(f"{f'seed {seed}':>9}" for seed in runs)
    lines = [f"{'LeNet-300-100, test error in %':<32}{'epochs':>7}{heads}{'mean':>9}{'spread':>9}"]
    for row, epochs in result["epochs"].items():
        errors = [errors[row] for errors in runs.values()]
        each = "".join(f"{error:9.2f}" for error in errors)
        lines.append(f"{row:<32}{epochs:>7}{each}{statistics.mean(errors):9.2f}{max(errors) - min(errors):9.2f}")
    return "\n".join(lines)
