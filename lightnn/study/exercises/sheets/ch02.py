"""Chapter 02, weight pruning (arXiv 1506.02626), gradually too (arXiv 1710.01878)."""

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
            "C_io and C_ir count the connections before and after pruning; D is the probability to drop.",
            "A sparser layer drops less, so the result is at most `rate`. 8 % kept turns 0.5 into 0.1414.",
            "Check the arguments first, as the docstring says nothing of errors but the tests do.",
        ),
        (
            Mistake("the square root is missing", "rate * math.sqrt(", "rate * ("),
            Mistake(
                "the ratio is upside down: a sparse layer must drop less, not more",
                "connections_after / connections_before)",
                "max(connections_before, 1) / max(connections_after, 1))",
            ),
            Mistake(
                "the square root is taken of the dropout rate too",
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
            "std is over the weights that are still there: all of w, or those where mask is True.",
            "Boolean indexing, w[mask], gives the survivors.",
            "Nothing left is no error: the threshold is then 0. Sum in float64, whatever w is.",
        ),
        (
            Mistake("the pruned zeros are in the standard deviation", "w[mask]", "w * mask"),
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
            "An op returns its value and, for each array, a function from dy to the gradient.",
            "np.where(mask, w, 0) gives 0 even where w is NaN or -0; a product does not.",
            "The gradient is masked too: otherwise momentum moves weights that are not there.",
        ),
        (
            Mistake("the gradient is not masked", "lambda dy: np.where(mask, dy, zero)", "lambda dy: dy"),
            Mistake("the mask is upside down", "np.where(mask, w, zero), ", "np.where(mask, zero, w), "),
            Mistake(
                "a product with the mask leaves NaN and -0 where nothing should be",
                "np.where(mask, w, zero), ",
                "w * mask, ",
            ),
        ),
    ),
    Sheet(
        "02.4",
        "How sparse, at which step",
        "easy",
        "s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3",
        (
            "At t_0 it is s_i, n steps of dt later it is s_f; before and after it stays there.",
            "Between two pruning steps nothing changes: count the whole steps done, (t - t_0) // dt, from 0 to n.",
            "The cube is of what is still to do: it falls fast at first, so the sparsity rises fast at first.",
        ),
        (
            Mistake(
                "the last step is forgotten: the sparsity goes on after n steps", ", 0), n) / n", ", 0), 10**9) / n"
            ),
            Mistake(
                "it changes between the pruning steps: only whole ones count",
                "(t - t_0) // dt",
                "(t - t_0) / dt",
            ),
            Mistake("a straight line instead of the cube", "(1 - done) ** 3", "(1 - done)"),
            Mistake(
                "the cube is of what is done: it must rise fast first, then slowly", "(1 - done) ** 3", "(1 - done**3)"
            ),
            Mistake("initial and final sparsity are swapped", "s_f + (s_i - s_f) *", "s_i + (s_f - s_i) *"),
        ),
    ),
    Sheet(
        "02.5",
        "Prune by magnitude, again and again",
        "middle",
        "m = 1[|W| > q std(W)] m_before",
        (
            "`threshold` and `set_mask` do most of the work; p() is what the network uses now.",
            "The threshold needs the old mask, and the new mask must be within the old one.",
            "A weight exactly at the threshold goes: >, not >=. Return what set_mask returns.",
        ),
        (
            Mistake("weights at the threshold stay", "np.abs(w) > threshold", "np.abs(w) >= threshold"),
            Mistake("signs are not ignored: large negative weights go", "np.abs(w) > threshold", "w > threshold"),
            Mistake("the threshold counts the weights that were pruned before", "quality, mask)", "quality, None)"),
            Mistake("small weights stay and large ones go", "np.abs(w) > threshold", "np.abs(w) <= threshold"),
        ),
    ),
    Sheet(
        "02.6",
        "Operations that are left",
        "middle",
        "f_l = w_l a_(l-1),   a_0 = 1,   f = sum_l F_l f_l / sum_l F_l",
        (
            "An operation multiplies a weight by an input; it is left where both are not 0.",
            "The inputs of layer l are the outputs of layer l - 1; the first layer reads the image: count it as full.",
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
                "the activity of all layers before is multiplied up",
                "[[1.0], active[:-1]]",
                "[[1.0], np.cumprod(active[:-1])]",
            ),
        ),
    ),
    Sheet(
        "02.7",
        "A mask by chance",
        "middle",
        "m uniform among the masks within m_before that keep round(keep n) of the n weights",
        (
            "keep is a share of all weights; round(keep n) of them stay, exactly, not only on average.",
            "Draw among the places where the old mask is True, without replacement: rng.choice does that.",
            "If fewer are left than asked for, all of those stay. np.random.default_rng takes a seed or a Generator.",
        ),
        (
            Mistake(
                "a coin is tossed for each weight: the number kept is right on average only",
                "mask[np.random.default_rng(rng).choice(places, kept, replace=False)] = True",
                "mask[places[np.random.default_rng(rng).random(places.size) < keep]] = True",
            ),
            Mistake("weights that were pruned before come back", "np.flatnonzero(p.support.mask)", "np.arange(p.size)"),
            Mistake("drawn with replacement: some are drawn twice, and too few stay", "replace=False", "replace=True"),
            Mistake(
                "the share is of the weights that are left, not of all",
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
            "Row i has the elements from pointers[i] up to, but not including, pointers[i + 1].",
            "Each element meets the number of x at its column: x[columns[k]].",
            "A row without elements gives 0; there are len(pointers) - 1 rows.",
        ),
        (
            Mistake(
                "elements meet x in its own order, not at their columns",
                "x[columns[k]]",
                "x[: pointers[i + 1] - pointers[i]]",
            ),
            Mistake(
                "the last element of each row is left out",
                "slice(pointers[i], pointers[i + 1])",
                "slice(pointers[i], max(pointers[i + 1] - 1, pointers[i]))",
            ),
            Mistake(
                "every row goes on to the end of the matrix",
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
            "A neuron whose incoming weights are all 0 always gives f(b): the next layer adds W[:, i] f(b) each time.",
            "What is always added belongs to the bias. Take the columns and the values where `constant` is True.",
            "w[:, constant] @ values[constant] sums over them; b itself must stay as it was.",
        ),
        (
            Mistake(
                "it is just dropped, as if a neuron without inputs gave 0: its bias is lost",
                "b + w[:, constant] @ values[constant]",
                "b + 0",
            ),
            Mistake(
                "all inputs are folded, not only the constant ones",
                "w[:, constant] @ values[constant]",
                "w @ values",
            ),
            Mistake(
                "those that are not constant are folded",
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
