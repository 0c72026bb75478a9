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
            "Check the arguments first: the tests also ask for errors.",
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
            "If no weight remains, the threshold is 0, not an error. Sum in float64, whatever the dtype of w.",
        ),
        (
            Mistake("the standard deviation includes the pruned zeros", "w[mask]", "w * mask"),
            Mistake("the mean of |w| instead of the standard deviation", "survivors.std(", "np.abs(survivors).mean("),
            Mistake("the variance instead of the standard deviation", "survivors.std(", "survivors.var("),
            Mistake("the quality is missing", "return quality * (", "return 1.0 * ("),
        ),
    ),
    Sheet(
        "02.3",
        "A masked weight and its gradient",
        "easy",
        "w <- w * m,   dL/dw = dL/d(w * m) * m",
        (
            "An op returns its value and, for each array, a function that maps dy to the gradient.",
            "np.where(mask, w, 0) gives 0 even where w is NaN or -0; a product does not.",
            "The gradient is masked too: otherwise momentum moves pruned weights.",
        ),
        (
            Mistake("the gradient is not masked", "lambda dy: np.where(mask, dy, zero)", "lambda dy: dy"),
            Mistake("the mask is inverted", "np.where(mask, w, zero), ", "np.where(mask, zero, w), "),
            Mistake(
                "multiplying by the mask leaves NaN and -0 where a 0 belongs",
                "np.where(mask, w, zero), ",
                "w * mask, ",
            ),
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
            "Cube the fraction that is still to do: it falls fast at first, so the sparsity rises fast at first.",
        ),
        (
            Mistake("the sparsity keeps changing after the last of the n steps", ", 0), n) / n", ", 0), 10**9) / n"),
            Mistake(
                "it changes between the pruning steps: only completed steps count",
                "(t - t_0) // dt",
                "(t - t_0) / dt",
            ),
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
            "`threshold` and `set_mask` do most of the work; p() gives the weights that the network uses now.",
            "The threshold needs the old mask, and the new mask may keep only weights that the old one keeps.",
            "A weight exactly at the threshold is pruned: >, not >=. Return what set_mask returns.",
        ),
        (
            Mistake("weights exactly at the threshold are kept", "np.abs(w) > threshold", "np.abs(w) >= threshold"),
            Mistake(
                "the absolute value is missing: large negative weights are pruned",
                "np.abs(w) > threshold",
                "w > threshold",
            ),
            Mistake("the threshold includes weights that were already pruned", "quality, mask)", "quality, None)"),
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
            "The network's fraction is weighted by the layers' dense operations: large layers count more.",
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
            "Draw without replacement from the places where the old mask is True: rng.choice does that.",
            "If fewer than that remain, keep all of them. np.random.default_rng takes a seed or a Generator.",
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
                "round(keep * p.size)",
                "round(keep * places.size)",
            ),
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
            "A row without elements gives 0; there are len(pointers) - 1 rows.",
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
                "the weights are added without the neurons' values", "@ values[constant]", "@ np.ones(constant.sum())"
            ),
        ),
    ),
)
