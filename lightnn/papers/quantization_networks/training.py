"""How every phase trains: SGD on a clipped gradient, a learning rate that falls, and a temperature that rises.

A soft step has the slope T p (1 - p), up to T / 4, but only within about 1 / T of where it stands: few numbers pass a
gradient on, and they pass on a large one. Its mean does not depend on T, but its mean square grows as T does, and in a
chain of soft activations these factors multiply. With six of them the gradient of our network is thirty times as long
at T = 50 as at T = 10. Unclipped, such steps tear the network apart in the third phase, where T is high from the start
and everything learns. The paper clips the norm at 5 for AlexNet (section 4), and its code for ResNets too, at 5 and,
with activations, at 20, at learning rates that are lower than ours; we clip at 1.
"""

from lightnn import optim
from lightnn.optim.schedules import Schedule
from lightnn.papers.lab.clipping import ClippedSGD


def clipped_sgd(parameters, lr: float) -> optim.Optimizer:
    """Of those parameters that are not frozen."""
    return ClippedSGD([p for p in parameters if p.requires_grad], lr, momentum=0.9, weight_decay=1e-4)


class Together:
    """Several schedules, stepped together."""

    def __init__(self, *schedules: Schedule):
        self.schedules = schedules

    def step(self) -> None:
        for schedule in self.schedules:
            schedule.step()
