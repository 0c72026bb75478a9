"""read_state on what PyTorch itself writes, and README's way from a network of PyTorch to a .lnn file."""

import collections

import numpy as np
import pytest
from numba import config

import lightnn
from lightnn import FormatError, Tensor, models
from lightnn.files import ROOT
from lightnn.io import read_state

pytestmark = pytest.mark.oracle
ZIP, STREAM = {}, {"_use_new_zipfile_serialization": False}
FORMATS = pytest.mark.parametrize("form", [ZIP, STREAM], ids=["zip", "stream"])


def same(got, want):
    assert list(got) == list(want)
    for name, tensor in want.items():
        a = tensor.detach().numpy()
        assert (got[name].dtype, got[name].shape) == (a.dtype, a.shape), name
        assert got[name].tobytes() == a.tobytes(), name


def random_state(torch, model):
    """Every array of the model's state drawn anew; variances are positive."""
    draw, state = torch.Generator().manual_seed(0), {}
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(len(state))
        elif name.endswith("running_var"):
            state[name] = torch.rand(value.shape, generator=draw) + 0.5
        else:
            fan_in = max(value[0].numel(), 1) if value.dim() > 1 else 1
            state[name] = torch.randn(value.shape, generator=draw) / fan_in**0.5
    return collections.OrderedDict(state)


@FORMATS
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_torchvisions_networks_bit_for_bit(torch, torchvision, tmp_path, name, form):
    state = random_state(torch, getattr(torchvision.models, name)())
    for protocol in (2, 4):
        torch.save(state, tmp_path / "file", pickle_protocol=protocol, **form)
        assert (tmp_path / "file").read_bytes()[:4] == (b"PK\3\4" if form is ZIP else bytes([0x80, protocol]) + (
            b"\x8a\x0a" if protocol == 2 else b"\x95\x0d"
        ))  # fmt: skip
        same(read_state(tmp_path / "file"), state)


@FORMATS
def test_a_network_of_ours_gives_pytorchs_outputs(torch, torchvision, tmp_path, rng, form):
    theirs = torchvision.models.resnet18()
    theirs.load_state_dict(random_state(torch, theirs))
    torch.save({"epoch": 3, "state_dict": theirs.state_dict(), "best": 0.7}, tmp_path / "file", **form)
    ours = models.resnet18(rng=0)
    ours.load_state_dict(read_state(tmp_path / "file"))
    x = rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
    with torch.no_grad():
        want = theirs.eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours.eval()(Tensor(x)).data, want, rtol=0, atol=1e-4 * np.abs(want).max())


DTYPES = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
DTYPES += ["bool", "complex64", "complex128"]


@FORMATS
def test_every_dtype_and_layout(torch, tmp_path, form):
    base = torch.arange(24.0).reshape(2, 3, 4)
    state = {name: torch.tensor([0, 1, 1, 0]).to(getattr(torch, name)) for name in DTYPES}
    state |= {"turned": base.permute(2, 0, 1), "part": base[1:, ::2, 1], "tied": base, "tied too": base}
    state |= {"expanded": torch.ones(1, 3).expand(5, 3), "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3)}
    state |= {"parameter": torch.nn.Parameter(base[0])}
    torch.save(state, tmp_path / "file", **form)
    same(read_state(tmp_path / "file"), {k: v.contiguous() for k, v in state.items()})


@FORMATS
def test_bfloat16_is_pytorchs_float(torch, tmp_path, form):
    a = torch.randn(100, generator=torch.Generator().manual_seed(0)).bfloat16()
    torch.save({"a": a}, tmp_path / "file", **form)
    same(read_state(tmp_path / "file"), {"a": a.float()})


@FORMATS
def test_a_whole_checkpoint(torch, tmp_path, form):
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 1, "model": net.state_dict(), "optimizer": optimizer.state_dict(), "lr": [0.1], "who": "me"}
    torch.save(checkpoint, tmp_path / "file", **form)
    same(read_state(tmp_path / "file"), net.state_dict())
    same(read_state(tmp_path / "file", key="model"), net.state_dict())


def test_a_file_without_checksums(torch, tmp_path):
    before = torch.serialization.get_crc32_options()
    try:
        torch.serialization.set_crc32_options(False)
        torch.save({"a": torch.ones(3)}, tmp_path / "file")
    finally:
        torch.serialization.set_crc32_options(before)
    same(read_state(tmp_path / "file"), {"a": torch.ones(3)})


@FORMATS
def test_what_is_no_state_dict_is_refused_by_name(torch, tmp_path, form):
    for thing, message in (
        (torch.nn.Linear(2, 3), "it names torch.nn.modules.linear.Linear, which is none"),
        (torch.ones(2), "want a dict of tensors, as model.state_dict"),
        ({"a": torch.eye(3).to_sparse()}, "it names torch._utils._rebuild_sparse_tensor"),
        ({"a": torch.tensor([1 + 2j]).conj()}, "conjugated or negated"),
        ({"a": torch.zeros(2, dtype=torch.float8_e4m3fn)}, "it names torch.float8_e4m3fn"),
        ({"a": np.ones(2)}, "_reconstruct, which is none of the tensors"),
    ):
        torch.save(thing, tmp_path / "file", **form)
        with pytest.raises(FormatError, match=message):
            read_state(tmp_path / "file")


@pytest.mark.skipif(config.DISABLE_JIT, reason="60,000 images")
@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="not a clone of the repository")
def test_readmes_lines_from_pytorch_to_a_lnn_file(torch, tmp_path, monkeypatch, capsys):
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("### Bring your own network")[1]
    in_pytorch, in_lightnn = (block.split("```")[0] for block in section.split("```python\n")[1:3])
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    exec(in_pytorch, {})
    found = {}
    exec(in_lightnn, found)
    said = capsys.readouterr().out.split()
    assert said[:2] == [str((tmp_path / "net.lnn").stat().st_size), "bytes"] and float(said[2]) > 0.95
    same(read_state("net.pth"), torch.load("net.pth"))
    loaded, mnist = lightnn.load("net.lnn"), found["mnist"]
    pruned = next(p for name, p in loaded.named_parameters() if name.startswith("fc1") and name.endswith("weight"))
    assert pruned.shape == (300, 784) and 0.05 < np.mean(pruned().data != 0) < 0.5 and pruned.values is not None
    x = mnist.x_test[:100]
    np.testing.assert_array_equal(lightnn.predict(loaded, x), lightnn.predict(found["int8"], x))
