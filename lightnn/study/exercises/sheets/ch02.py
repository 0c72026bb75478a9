"""Chapter 02: weight pruning (arXiv 1506.02626), also gradual (arXiv 1710.01878)."""

import lightnn.compress
import lightnn.papers.han2015.tables
import lightnn.runtime  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

SHEETS = (
    Sheet(
        "02.1",
        "Dropout for a sparse layer",
        "easy",
        "D_r = D_o sqrt(C_ir / C_io)",
        (
            "C_io and C_ir count the connections before and after pruning; D is the probability of dropping a neuron.",
            "A sparser layer drops less, so the result is at most `rate`. 8 % kept turns 0.5 into 0.1414.",
            "rate * math.sqrt(after / before); before it, a ValueError for a rate or a count that can't be.",
        ),
        (
            Mistake("the square root is missing", "rate * math.sqrt(", "rate * ("),
            Mistake(
                "the ratio is upside down: a sparse layer must drop less, not more",
                "connections_after / connections_before)",
                "max(connections_before, 1) / max(connections_after, 1))",
            ),
            Mistake(
                "the dropout rate is under the square root too",
                "rate * math.sqrt(connections_after / connections_before)",
                "math.sqrt(rate * connections_after / connections_before)",
            ),
            Mistake(
                "the result is rounded",
                "rate * math.sqrt(connections_after / connections_before)",
                "round(rate * math.sqrt(connections_after / connections_before), 4)",
            ),
            Mistake(
                "nothing changes while more than half of the connections are left",
                "return rate * math",
                "return rate if connections_after > connections_before / 2 else rate * math",
            ),
            Mistake("a rate of 1, which drops everything, is let through", "0 <= rate < 1 or", "0 <= rate <= 1 or"),
        ),
    ),
    Sheet(
        "02.2",
        "The threshold of a layer",
        "easy",
        "thr_l = q_l std(W_l)",
        (
            "std is taken over the remaining weights: all of w, or where mask is True.",
            "Boolean indexing, w[mask], gives the survivors.",
            "quality * w[mask].std(dtype=np.float64); if no weight remains, 0.0 before the std of nothing is taken.",
        ),
        (
            Mistake("the standard deviation includes the pruned zeros", "w[mask]", "w * mask"),
            Mistake("the mean of |w| instead of the standard deviation", "survivors.std(", "np.abs(survivors).mean("),
            Mistake("the variance instead of the standard deviation", "survivors.std(", "survivors.var("),
            Mistake("the quality is missing", "return quality * (", "return 1.0 * ("),
            Mistake(
                "it is summed in the dtype of w, not in float64", "survivors.std(dtype=np.float64)", "survivors.std()"
            ),
            Mistake("divided by n - 1 instead of n", "survivors.std(dtype", "survivors.std(ddof=1, dtype"),
        ),
    ),
    Sheet(
        "02.3",
        "A masked weight and its gradient",
        "easy",
        "w <- w * m,   dL/dw = dL/d(w * m) * m",
        (
            "In here w and mask are NumPy arrays. Return two things: y, and a function from dy to the gradient of w.",
            "np.where(mask, w, 0) gives 0 even where w is NaN or -0; a product does not.",
            "The function masks dy in the same way. Compare w.shape with mask.shape first: np.where broadcasts.",
        ),
        (
            Mistake("the gradient is not masked", "lambda dy: np.where(mask, dy, zero)", "lambda dy: dy"),
            Mistake("the mask is inverted", "np.where(mask, w, zero), ", "np.where(mask, zero, w), "),
            Mistake(
                "multiplying by the mask leaves NaN and -0 where a 0 belongs",
                "np.where(mask, w, zero), ",
                "w * mask, ",
            ),
            Mistake(
                "the weights that go are set to 0 in w itself",
                "return np.where(mask, w, zero), ",
                "w[~mask] = zero\n    return w, ",
            ),
            Mistake("a mask of another shape is broadcast", "if w.shape != mask.shape:", "if w.size % mask.size:"),
        ),
    ),
    Sheet(
        "02.4",
        "The sparsity at each step",
        "easy",
        "s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3",
        (
            "It is s_i until t_0, and s_f from n steps of dt later on.",
            "Nothing changes between two pruning steps: count the completed steps, (t - t_0) // dt, from 0 to n.",
            "Cube the fraction that is still to do, 1 - steps / n: so the sparsity rises fast at first.",
        ),
        (
            Mistake("the sparsity keeps changing after the last of the n steps", ", 0), n) / n", ", 0), 10**9) / n"),
            Mistake(
                "it changes between the pruning steps: only completed steps count",
                "(t - t_0) // dt",
                "(t - t_0) / dt",
            ),
            Mistake("only 0 is refused, and not what is less", "if n < 1 or dt < 1:", "if n == 0 or dt == 0:"),
            Mistake("linear instead of cubic", "(1 - done) ** 3", "(1 - done)"),
            Mistake(
                "the fraction done is cubed, not the fraction still to do: the sparsity must rise fast first",
                "(1 - done) ** 3",
                "(1 - done**3)",
            ),
            Mistake("initial and final sparsity are swapped", "s_f + (s_i - s_f) *", "s_i + (s_f - s_i) *"),
        ),
    ),
    Sheet(
        "02.5",
        "Prune by magnitude, repeatedly",
        "middle",
        "m = 1[|W| > q std(W)] m_before",
        (
            "`threshold` and `set_mask` do most of the work; p().data are the weights that the network uses now.",
            "`threshold` needs the old mask: p.support.mask, or None if p.support is None. > and not >= it is kept.",
            "Make a new array, np.abs(w) > threshold(w, quality, mask), and return what set_mask(p, array) returns.",
        ),
        (
            Mistake("weights exactly at the threshold are kept", "np.abs(w) > threshold", "np.abs(w) >= threshold"),
            Mistake(
                "the absolute value is missing: large negative weights are pruned",
                "np.abs(w) > threshold",
                "w > threshold",
            ),
            Mistake("the threshold includes weights that were already pruned", "quality, mask)", "quality, None)"),
            Mistake(
                "the array p.data is pruned, not p(), the weights that the network uses",
                "w, mask = p().data",
                "w, mask = p.data",
            ),
            Mistake(
                "the old mask's own array is changed",
                "return set_mask(p, np.abs(w) > threshold(w, quality, mask))",
                "keep = np.abs(w) > threshold(w, quality, mask)\n"
                "    return set_mask(p, keep if mask is None else np.logical_and(mask, keep, out=mask))",
            ),
            Mistake("small weights are kept and large ones pruned", "np.abs(w) > threshold", "np.abs(w) <= threshold"),
        ),
    ),
    Sheet(
        "02.6",
        "The operations that remain",
        "middle",
        "f_l = w_l a_(l-1),   a_0 = 1,   f = sum_l F_l f_l / sum_l F_l",
        (
            "An operation multiplies a weight by an input; it remains where neither is 0.",
            "The inputs of layer l are the outputs of layer l - 1; the first layer's input, the image, counts as full.",
            "So f_l = kept[l] * active[l - 1], and kept[0] for the first: put 1 before active, drop its last.",
            "The network's fraction is the layers' mean, weighted by flops. Convert to float64 before you multiply.",
        ),
        (
            Mistake("a layer's own outputs are counted instead of its inputs", "[[1.0], active[:-1]]", "[active]"),
            Mistake(
                "only the weights are counted: a zero input saves work too",
                "fractions = kept * inputs",
                "fractions = kept",
            ),
            Mistake(
                "the network's fraction is the plain mean of the layers' fractions",
                "float(fractions @ flops / flops.sum())",
                "float(fractions.mean())",
            ),
            Mistake(
                "the activities of all earlier layers are multiplied together",
                "[[1.0], active[:-1]]",
                "[[1.0], np.cumprod(active[:-1])]",
            ),
        ),
    ),
    Sheet(
        "02.7",
        "A random mask",
        "middle",
        "m uniform among the masks within m_before that keep round(keep n) of the n weights",
        (
            "keep is a fraction of all weights; exactly round(keep n) of them are kept, not only on average.",
            "Draw without replacement from the places where the old mask is True (np.flatnonzero finds them).",
            "np.random.default_rng(rng) takes a seed or a Generator; its choice(places, count, replace=False) draws.",
            "If fewer places than that remain, take them all: min(round(keep * p.size), places.size).",
        ),
        (
            Mistake(
                "each weight is kept or not at random: the number kept is right only on average",
                "mask[np.random.default_rng(rng).choice(places, kept, replace=False)] = True",
                "mask[places[np.random.default_rng(rng).random(places.size) < keep]] = True",
            ),
            Mistake("pruned weights come back", "np.flatnonzero(p.support.mask)", "np.arange(p.size)"),
            Mistake(
                "drawn with replacement: some are drawn twice, so too few are kept", "replace=False", "replace=True"
            ),
            Mistake(
                "keep is taken as a fraction of the remaining weights, not of all",
                "min(round(keep * p.size)",
                "min(round(keep * places.size)",
            ),
            Mistake("the number to keep is rounded up", "min(round(keep * p.size)", "min(math.ceil(keep * p.size)"),
            Mistake("the number to keep is rounded down", "min(round(keep * p.size)", "min(int(keep * p.size)"),
            Mistake(
                "they are drawn as one block of neighbours, not each for itself",
                "np.random.default_rng(rng).choice(places, kept, replace=False)",
                "np.roll(places, np.random.default_rng(rng).integers(max(places.size, 1)))[:kept]",
            ),
            Mistake("rng is not used", "default_rng(rng)", "default_rng(0)"),
        ),
    ),
    Sheet(
        "02.8",
        "Multiply by what is stored",
        "middle",
        "y_i = sum_{k = p_i}^{p_(i+1) - 1} v_k x_(c_k)",
        (
            "Row i holds the elements from pointers[i] up to, but not including, pointers[i + 1].",
            "Each element is multiplied by the entry of x at its column: x[columns[k]].",
            "y = np.zeros(len(pointers) - 1, x.dtype), then a loop over its rows; one without elements stays 0.",
        ),
        (
            Mistake(
                "elements are multiplied by x in order, not at their columns",
                "x[columns[k]]",
                "x[: pointers[i + 1] - pointers[i]]",
            ),
            Mistake(
                "the last element of each row is left out",
                "slice(pointers[i], pointers[i + 1])",
                "slice(pointers[i], max(pointers[i + 1] - 1, pointers[i]))",
            ),
            Mistake(
                "every row continues to the end of the matrix",
                "slice(pointers[i], pointers[i + 1])",
                "slice(pointers[i], None)",
            ),
            Mistake(
                "the result is always float64", "np.zeros(len(pointers) - 1, x.dtype)", "np.zeros(len(pointers) - 1)"
            ),
            Mistake(
                "one row too many: there is one more pointer than rows",
                "np.zeros(len(pointers) - 1, x.dtype)\n    for i in range(len(y))",
                "np.zeros(len(pointers), x.dtype)\n    for i in range(len(y) - 1)",
            ),
        ),
    ),
    Sheet(
        "02.9",
        "A neuron without inputs is a constant",
        "hard",
        "b' = b + sum_{i constant} W[:, i] x_i",
        (
            "A neuron whose incoming weights are all 0 always outputs f(b): the next layer always adds W[:, i] f(b).",
            "What is always added belongs in the bias. Take the columns and the values where `constant` is True.",
            "w[:, constant] @ values[constant] sums over them; do not change b itself.",
        ),
        (
            Mistake(
                "the neuron is simply dropped, as if it gave 0: its bias is lost",
                "b + w[:, constant] @ values[constant]",
                "b + 0",
            ),
            Mistake(
                "all inputs are folded, not only the constant ones",
                "w[:, constant] @ values[constant]",
                "w @ values",
            ),
            Mistake(
                "the inputs that are not constant are folded instead",
                "w[:, constant] @ values[constant]",
                "w[:, ~constant] @ values[~constant]",
            ),
            Mistake("the old bias is lost", "return b + w", "return w"),
            Mistake(
                "b itself is changed",
                "return b + w[:, constant] @ values[constant]",
                "b += w[:, constant] @ values[constant]\n    return b",
            ),
            Mistake(
                "the weights are added without the neurons' values", "@ values[constant]", "@ np.ones(constant.sum())"
            ),
        ),
    ),
)


def finale():
    import copy

    import numpy as np

    from lightnn import compress, data, models, papers, runtime, training

    d, keeps = data.load_mnist(), {"fc1": 0.08, "fc2": 0.09, "fc3": 0.26}

    def error(model, after_step=None):
        recipe = training.Recipe(1, 0.3, batch_size=100, after_step=after_step)
        training.follow(recipe, model, (d.x_train[:30_000], d.y_train[:30_000]), progress=False)
        return 100 - 100 * training.evaluate(model, d.x_test, d.y_test, progress=False)

    model = models.lenet_300_100(dropout=0.2, rng=0)
    before, chance = error(model), copy.deepcopy(model)
    for p, keep in ((getattr(chance, name).weight, keep) for name, keep in keeps.items()):
        compress.set_mask(p, compress.random_mask(p, keep, 0))
    model.dropout1.p = compress.adjust_dropout(0.2, 235_200, 18_816)
    after = error(
        model, compress.GradualPruning([(getattr(model, n).weight, k) for n, k in keeps.items()], 10, 15).step
    )
    left = papers.han2015.tables.count_layers(model, keeps, d.x_test[:1000])["total"]
    mask = model.fc1.weight.support.mask.copy()
    mask[np.argsort(model.fc1.bias.data)[-30:]] = False  # 30 neurons lose their last inputs
    compress.set_mask(model.fc1.weight, mask)
    thin, y = compress.remove_dead(model, (1, 1, 28, 28))[0], d.x_test[:50].reshape(50, -1)
    for layer, w in ((layer, layer.weight().data) for layer in (thin.fc1, thin.fc2, thin.fc3)):
        y = np.array([runtime.csr_matvec(*runtime.to_csr(w, w != 0), np.maximum(x, 0)) for x in y]) + layer.bias.data
    if not np.allclose(y, training.predict(model, d.x_test[:50]), rtol=1e-3, atol=1e-3):
        raise ValueError("csr_matvec and fold_constants give outputs other than the pruned network's")
    return (
        f"Your functions prune LeNet-300-100 to {left['kept %']:.1f} % of its weights and {left['flop %']:.1f} % of "
        f"its operations: test error {before:.2f} % -> {after:.2f} % with one more epoch ({error(chance):.2f} % with "
        "random masks); csr_matvec gives the network's outputs from the weights that are stored"
    )
