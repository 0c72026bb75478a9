"""Every network that torchvision has too: a random state of its own loads strictly, and the outputs are the same.

Weights and statistics of batch norm are drawn anew, so that no layer is the identity. Small images here; those of the
papers' size with --thorough.
"""

import numpy as np
import pytest

from lightnn import Tensor, metrics, models, no_grad
from lightnn.models.efficient import EFFICIENTNET_SCALES

pytestmark = [pytest.mark.oracle, pytest.mark.compiled]

SMALLEST = {"alexnet": 63, "inception_v3": 75, "googlenet": 32, "densenet121": 32}  # side of the image; 32 otherwise
SIZES = {"inception_v3": 299} | {f"efficientnet_{name}": scale.size for name, scale in EFFICIENTNET_SCALES.items()}
NAMES = [
    *("alexnet", "vgg16", "googlenet", "inception_v3", "resnet18", "resnet34", "resnet50", "densenet121"),
    *("densenet161", "densenet169", "densenet201", "squeezenet1_0", "squeezenet1_1", "mobilenet_v2"),
    *("mobilenet_v3_small", "mobilenet_v3_large", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5"),
    *("shufflenet_v2_x2_0", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    *(f"efficientnet_b{i}" for i in range(8)),
]
LARGE = {"vgg16", "densenet161", "densenet169", "densenet201", "resnet34", "mnasnet0_75", "mnasnet1_3"}
LARGE |= {"shufflenet_v2_x1_5", "shufflenet_v2_x2_0", *(f"efficientnet_b{i}" for i in range(2, 8) if i != 5)}
SEVERAL = [pytest.param(name, marks=pytest.mark.thorough if name in LARGE else ()) for name in NAMES]
AUXILIARY = ("googlenet", "inception_v3")


def theirs_of(torch, torchvision, name, **options):
    """torchvision's network with 7 classes and a state drawn anew."""
    options = {"num_classes": 7} | options | ({"init_weights": False} if name in AUXILIARY else {})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        find = getattr(torchvision.models.segmentation if name.startswith("deeplab") else torchvision.models, name)
        model = find(**options | ({"weights": None, "weights_backbone": None} if name.startswith("deeplab") else {}))
        for m in model.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(m.weight, 0.8, 1.2)
                torch.nn.init.normal_(m.bias, 0, 0.1)
                torch.nn.init.normal_(m.running_mean, 0, 0.1)
                torch.nn.init.uniform_(m.running_var, 0.5, 1.5)
                m.num_batches_tracked += 3
    return model


def state_of(model):
    return {name: value.numpy() for name, value in model.state_dict().items()}


def images(size, n=1):
    return np.random.default_rng(0).standard_normal((n, 3, size, size), np.float32)


def check_equal(ours, theirs, torch, x):
    """The outputs in eval, to 1e-4 of the largest of them."""
    with torch.no_grad(), no_grad():
        want = theirs.eval()(torch.from_numpy(x))
        got = ours.eval()(Tensor(x)).data
    want = (want["out"] if isinstance(want, dict) else want).numpy()
    assert np.abs(got - want).max() <= 1e-4 * np.abs(want).max() and np.ptp(want) > 0


@pytest.mark.parametrize("name", SEVERAL)
def test_a_state_of_torchvision_loads_strictly_and_gives_its_outputs(name, torch, torchvision):
    theirs = theirs_of(torch, torchvision, name)
    ours = getattr(models, name)(num_classes=7)
    state = state_of(theirs)
    ours.load_state_dict(state)
    again = ours.state_dict()
    assert again.keys() == state.keys() and all(np.array_equal(again[key], value) for key, value in state.items())
    check_equal(ours, theirs, torch, images(SMALLEST.get(name, 32)))


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_also_on_images_of_the_papers_size(name, torch, torchvision):
    theirs = theirs_of(torch, torchvision, name)
    ours = getattr(models, name)(num_classes=7)
    ours.load_state_dict(state_of(theirs))
    check_equal(ours, theirs, torch, images(SIZES.get(name, 224)))


@pytest.mark.parametrize("aux_loss", [False, True])
@pytest.mark.parametrize("size", [33, pytest.param(224, marks=pytest.mark.thorough)])
def test_deeplab_is_torchvisions(aux_loss, size, torch, torchvision):
    theirs = theirs_of(torch, torchvision, "deeplabv3_resnet50", aux_loss=aux_loss)
    ours = models.deeplabv3_resnet50(num_classes=7, aux_loss=aux_loss)
    ours.load_state_dict(state_of(theirs))
    check_equal(ours, theirs, torch, images(size))


@pytest.mark.parametrize("name", AUXILIARY)
@pytest.mark.parametrize("options", [{"aux_logits": False}, {"transform_input": True}], ids=str)
def test_options_of_the_inception_networks(name, options, torch, torchvision):
    theirs = theirs_of(torch, torchvision, name, **options)
    ours = getattr(models, name)(num_classes=7, **options)
    ours.load_state_dict(state_of(theirs))
    check_equal(ours, theirs, torch, images(SMALLEST[name]))


@pytest.mark.parametrize(
    ("name", "size"), [("googlenet", 64), pytest.param("inception_v3", 299, marks=pytest.mark.thorough)]
)
def test_outputs_and_gradients_in_training(name, size, torch, torchvision):
    """With batch statistics, all outputs by their names; dropout is left out on both sides. In float64: statistics of 8
    numbers multiply rounding by 10,000."""
    theirs = theirs_of(torch, torchvision, name, transform_input=True).train()
    ours = getattr(models, name)(num_classes=7, transform_input=True).train()
    ours.load_state_dict(state_of(theirs))
    theirs.double()
    for p in ours.parameters():
        p.data = p.data.astype(np.float64)
    for m in (*theirs.modules(), *ours.modules()):
        if type(m).__name__ == "Dropout":
            m.p = 0.0
    x, labels = images(size, 2).astype(np.float64), np.array([1, 5])
    got, want = ours(Tensor(x)), theirs(torch.from_numpy(x))
    assert got._fields == want._fields and not isinstance(ours.eval()(Tensor(x)), tuple)
    for a, b in zip(got, (y.detach().numpy() for y in want)):
        assert np.abs(a.data - b).max() <= 1e-9 * np.abs(b).max()
    models.auxiliary_loss(got, labels).backward()
    loss = sum(w * torch.nn.functional.cross_entropy(y, torch.tensor(labels)) for w, y in zip((1, 0.3, 0.3), want))
    loss.backward()
    for key, q in theirs.named_parameters():
        p, dq = dict(ours.named_parameters())[key], q.grad.numpy()
        gap = np.linalg.norm(p.grad - dq) / np.linalg.norm(dq)
        assert gap < 1e-6, (key, gap)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_macs_are_what_torchvision_states(name, torchvision):
    """Its GFLOPS, which are multiply-accumulates, to three digits; of the images that its weights are for."""
    weights = next(iter(torchvision.models.get_model_weights(name))).meta
    size = 288 if name == "efficientnet_b2" else SIZES.get(name, 224)
    model = getattr(models, name)(**({"aux_logits": False} if name == "googlenet" else {}))
    assert metrics.count_parameters(model) == weights["num_params"]
    assert metrics.count_macs(model, (1, 3, size, size)) / 1e9 == pytest.approx(weights["_ops"], abs=0.0006)
