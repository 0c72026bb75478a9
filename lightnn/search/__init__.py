"""Searches that choose how a network is made smaller, by what it really takes on the machine at hand.

evaluating.py  candidates evaluated by any Executor, kept in a journal
proxy.py       the small task on which they are compared
blocks.py      what may be narrowed, and what each width costs
latency.py     a table of measured latencies
narrowing.py   NetAdapt: block by block, until a budget is met
spaces.py      decisions with a few choices each; strategies.py, surrogates.py: what proposes candidates
architectures.py   MnasNet's blocks as such a space
learners.py    PocketFlow: techniques whose settings any of these strategies chooses
policies.py    AMC: an agent (ddpg.py) walks through the layers; reconstructing.py fits what is left
rewards.py     what a candidate is worth; given.py: checks of what searches are given
"""

from lightnn.search.architectures import Measured, block_space, build, try_architecture
from lightnn.search.blocks import Blocks
from lightnn.search.ddpg import Settings as AgentSettings
from lightnn.search.evaluating import Evaluations, Here, pool
from lightnn.search.latency import LatencyTable, interpolate, kept_table, measure_latencies, table_error
from lightnn.search.learners import (
    LEARNERS,
    AgentStrategy,
    Goal,
    compressed,
    compression_task,
    learners_space,
    pipeline,
    pocketflow,
    try_compression,
)
from lightnn.search.narrowing import Adapted, finished, netadapt, resource_target, try_proposal, uniform_widths, widest
from lightnn.search.narrowing import Plan as NetAdaptPlan
from lightnn.search.pace import Pace, whole_ms
from lightnn.search.policies import Plan as AMCPlan
from lightnn.search.policies import (
    Policy,
    Walk,
    action_wall,
    amc,
    cut,
    layer_state,
    policy_task,
    ramp,
    random_policies,
    try_policy,
)
from lightnn.search.proxy import Proxy
from lightnn.search.reconstructing import least_squares, thin_and_reconstruct
from lightnn.search.rewards import constrained_reward, guaranteed_reward, sized_reward
from lightnn.search.spaces import Found, Space, Strategy, latency_reward, pareto_front, search_space
from lightnn.search.strategies import PPO, Evolution, RandomSearch, Reinforce, clipped_objective
from lightnn.search.surrogates import TPE, GaussianProcess, expected_improvement, gp_posterior, tpe_split

__all__ = [
    "LEARNERS",
    "PPO",
    "TPE",
    "AMCPlan",
    "Adapted",
    "AgentSettings",
    "AgentStrategy",
    "Blocks",
    "Evaluations",
    "Evolution",
    "Found",
    "GaussianProcess",
    "Goal",
    "Here",
    "LatencyTable",
    "Measured",
    "NetAdaptPlan",
    "Pace",
    "Policy",
    "Proxy",
    "RandomSearch",
    "Reinforce",
    "Space",
    "Strategy",
    "Walk",
    "action_wall",
    "amc",
    "block_space",
    "build",
    "clipped_objective",
    "compressed",
    "compression_task",
    "constrained_reward",
    "cut",
    "expected_improvement",
    "finished",
    "gp_posterior",
    "guaranteed_reward",
    "interpolate",
    "kept_table",
    "latency_reward",
    "layer_state",
    "learners_space",
    "least_squares",
    "measure_latencies",
    "netadapt",
    "pareto_front",
    "pipeline",
    "pocketflow",
    "policy_task",
    "pool",
    "ramp",
    "random_policies",
    "resource_target",
    "search_space",
    "sized_reward",
    "table_error",
    "thin_and_reconstruct",
    "tpe_split",
    "try_architecture",
    "try_compression",
    "try_policy",
    "try_proposal",
    "uniform_widths",
    "whole_ms",
    "widest",
]
