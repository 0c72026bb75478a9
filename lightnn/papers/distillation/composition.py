"""Distillation is a loss, so it goes with everything: compressed students, trained on with a float teacher or without.

Each begins as a float network, trained on its labels alone (controls.py). It is compressed, all its layers, and then
trained on for as long with labels as with soft targets.
"""

import copy
import functools

from lightnn import compress, io, nn
from lightnn.papers.distillation.students import Student, errors, told, trained
from lightnn.papers.lab.experiment import Experiment
from lightnn.training import Remembered, distil

FORMS = {
    "floats": lambda p: None,
    "pruned to 3 %": functools.partial(compress.prune_to_fraction, keep=0.03),
    "2 bits (LSQ)": functools.partial(compress.use_lsq, bits=2),
    "binary": compress.use_binary_filters,
}


def measure(run: Experiment, teacher: nn.Module, floats: list[nn.Module]) -> dict[str, dict]:
    """{form: {"bytes", "compressed", "labels", "soft targets": rows}}; compressed: before it is trained on."""
    loss = distil(Remembered(teacher, run.images.training[0]), run.subject.T, run.subject.weight)
    return {form: _form(run, form, [_compressed(net, use) for net in floats], loss) for form, use in FORMS.items()}


def _compressed(floats, use):
    net = copy.deepcopy(floats)
    for p in net.parameters():
        if p.ndim > 1:
            use(p)
    return net


def _form(run, form, nets, loss):
    before = [run.journal.step(f"{form}, {i}", functools.partial(errors, run, net)) for i, net in enumerate(nets)]
    found = run.journal.step(f"bytes, {form}", lambda: {"bytes": len(io.to_bytes(nets[0]))})
    found |= {"compressed": told(run, form, before)}
    for what, options in (("labels", {}), ("soft targets", {"loss": loss})):
        name = f"{form}, {what}"
        works = [functools.partial(_later, run, name, net, options, i) for i, net in enumerate(nets)]
        found[what] = told(run, name, [run.journal.step(f"{name}, {i}", work) for i, work in enumerate(works)])
    return found


def _later(run, name, net, options, i):
    how = Student(lambda rng: copy.deepcopy(net), epochs=run.subject.later_epochs, **options)
    return errors(run, trained(run, name, how, i))
