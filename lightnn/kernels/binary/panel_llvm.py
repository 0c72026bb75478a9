"""Sixteen output pixels of a convolution side by side, and what each step of their windows needs: a panel of words.

What it computes, on flat arrays, for the steps t < depth and the pixels i < 16:

    panel[p + 16 t + i] = panel[p + 16 (t - 1) + i]  XOR
                          image[at[16 g + i] + shift + plane * step_plane[t] + step_at[t]]

How memory is walked. Eight pixels at a time. Mostly they lie side by side in the image, or in two runs, at the end of a
row and at the beginning of the next one: `runs` says how many lie in the first. That takes two loads of a vector, which
may reach 8 words over the image's ends. Others (0: strides, narrow images) are loaded one by one.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, splat


def _plain_gather(panel, p, image, shift, plane, pixels, g, depth):
    at, step_plane, step_at, _ = pixels
    where = at[16 * g : 16 * g + 16] + shift + (plane * step_plane + step_at)[:depth, None]
    panel[p : p + 16 * depth] = np.bitwise_xor.accumulate(image[where], 0).reshape(-1)


@intrinsic
def _gather(typing, panel, p, image, shift, plane, pixels, g, depth):
    def codegen(context, builder, signature, args):
        _, p, _, shift, plane, _, g, depth = args
        to, image = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        parts = [builder.extract_value(args[5], i) for i in range(4)]
        at, step_plane, step_at, runs = (
            Flat(context, builder, kind, part) for kind, part in zip(signature.args[5].types, parts, strict=True)
        )

        def walk(to_at, load):
            """Eight words a step; load(offset) gives those of a step."""
            before = cgutils.alloca_once_value(builder, ir.Constant(EIGHT, None))
            with cgutils.for_range(builder, depth) as loop:
                step = builder.add(builder.mul(plane, step_plane.load(loop.index)), step_at.load(loop.index))
                words = builder.xor(builder.load(before), load(builder.add(step, shift)))
                builder.store(words, before)
                to.store_vector(words, builder.add(to_at, builder.mul(loop.index, index(16))))

        for half in (0, 8):
            to_at, at_at = builder.add(p, index(half)), builder.add(builder.mul(g, index(16)), index(half))
            run = runs.load(builder.udiv(at_at, index(8)))
            places = [at.load(builder.add(at_at, index(i))) for i in range(8)]
            lane = ir.Constant(EIGHT, list(range(8)))
            in_first = builder.icmp_signed("<", lane, splat(builder, run, 8))

            def together(offset, places=places):
                return image.load_vector(builder.add(places[0], offset), 8)

            def in_two(offset, places=places, in_first=in_first):
                second = image.load_vector(builder.sub(builder.add(places[7], offset), index(7)), 8)
                return builder.select(in_first, together(offset, places), second)

            def one_by_one(offset, places=places):
                words = ir.Constant(EIGHT, ir.Undefined)
                for i, place in enumerate(places):
                    words = builder.insert_element(words, image.load(builder.add(place, offset)), index(i))
                return words

            with builder.if_else(builder.icmp_signed("==", run, index(8))) as (one, other):
                with one:
                    walk(to_at, together)
                with other, builder.if_else(builder.icmp_signed("==", run, index(0))) as (none, two):
                    with none:
                        walk(to_at, one_by_one)
                    with two:
                        walk(to_at, in_two)

    i = types.int64
    return types.void(panel, i, image, i, i, pixels, i, i), codegen


EIGHT = ir.VectorType(ir.IntType(64), 8)
gather = _plain_gather if config.DISABLE_JIT else _gather
