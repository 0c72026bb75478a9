"""Networks that several experiments train and no chapter of `models` has."""

from lightnn import nn


def mlp(units: int, rng=None, dropout: tuple[float, float] = (0.0, 0.0)) -> nn.Module:
    """784-units-units-10 with ReLU. dropout: of the pixels and of the hidden units, none by default."""
    rng = nn.init.generator(rng)
    pixels, hidden = (nn.Dropout(p, rng=rng) for p in dropout)
    first, second, last = (nn.Linear(a, b, rng=rng) for a, b in ((784, units), (units, units), (units, 10)))
    kept = [nn.Flatten(), pixels, first, nn.ReLU(), hidden, second, nn.ReLU(), nn.Dropout(dropout[1], rng=rng), last]
    return nn.Sequential(*(m for m in kept if not isinstance(m, nn.Dropout) or m.p))
