"""What retraining gains, against controls.

A network that is pruned and retrained has been trained for longer than its reference. So the whole network is trained
on for as many epochs, by the same recipe: that is the control. Each number is measured for three seeds, which differ in
the initial weights and in the order of the images; for each seed all networks start from the same reference. The
numbers have a file of their own, chapters/results/li2016_controls.json.
"""

import dataclasses
import functools

from lightnn import metrics
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.papers.li2016 import experiment
from lightnn.papers.li2016.costs import prune_weights

SEEDS = 3
SUBJECT = dataclasses.replace(
    experiment.FULL["lenet5"],
    training=stage.recipe(epochs=4, lr=0.05),
    retraining=stage.recipe(epochs=3, lr=0.02),
    images=20_000,
)
QUICK = dataclasses.replace(experiment.QUICK["lenet5"], images=5_000)
CHOICES = ("smallest l1", "random", "largest l1", "mean-l2")


def reproduce(session: Session) -> dict:
    """The numbers of `experiment.reproduce`, and LeNet-5's controls: {"controls": {"test error %": {what: [error of
    each seed]}}}."""
    result = experiment.reproduce(session)
    part, seeds = session.part("controls"), session.seeds(1 if session.quick else SEEDS)
    errors = measure(QUICK if session.quick else SUBJECT, part, seeds)
    numbers = {"seeds": seeds, "test error %": errors, "seconds": part.journal.seconds}
    return {**result, "seconds": session.journal.seconds, "controls": numbers}


def records(result: dict) -> dict[str, dict]:
    """{file name: numbers}: the controls apart from the rest."""
    rest = {name: numbers for name, numbers in result.items() if name != "controls"}
    return {"li2016.json": rest, "li2016_controls.json": result["controls"]}


def measure(subject: experiment.Subject, session: Session, seeds: list[int]) -> dict[str, list[float]]:
    """{what: [test error in % of each seed]}."""
    images = stage.mnist()
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    errors = [_one_seed(Experiment("lenet5", subject, images, session.of_seed(seed))) for seed in seeds]
    return {what: [one[what] for one in errors] for what in errors[0]}


def _one_seed(run):
    """{what: test error in %}."""
    subject, errors = run.subject, {}

    def note(what, model):
        errors[what] = run.test(what, model)
        run.say(f"{run.name:<9}seed {run.seed}  {what:<28}{errors[what]:>6.2f} %")

    model, _ = run.network("reference", run.fresh(), subject.training)
    note("reference", model)
    recipe = dataclasses.replace(subject.retraining, epochs=1, lr=subject.retraining.lr / 4)
    for choice in CHOICES:
        thinned = experiment.cut(run, model, subject.final, choice, choice)
        note(f"{choice}, not retrained", thinned)
        note(f"{choice}, one epoch", run.network(f"{choice}, one epoch", thinned, recipe)[0])
    note("whole, one epoch more", run.network("whole, one epoch more", model, recipe)[0])
    for way, (network, _) in _ways(run, model).items():
        note(way, network)
    return errors


def _ways(run, model):
    """{way: (network, numbers)}: three thin networks, single weights at as many parameters, the control."""
    ways, recipe = experiment.ways(run, model), run.subject.retraining
    prepare = functools.partial(prune_weights, parameters=metrics.count_parameters(ways["at once"][0]))
    ways["single weights"] = run.network("single weights", model, recipe, prepare)
    ways["whole, as many epochs more"] = run.network("whole, as many epochs more", model, recipe)
    return ways
