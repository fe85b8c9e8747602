"""A whole simulation: the load, then silence until all is mined and the fleet is at its least."""

from dataclasses import dataclass

from tests.simulation.model import STEP_S, Model, Sample
from tests.simulation.shapes import Shape
from tests.simulation.world import World

_TIMEOUT_FACTOR = 4  # so many times the load's own time may pass before what waits is given up


@dataclass(frozen=True, slots=True)
class Summary:
    """What a simulation came to.

    Attributes:
        arrived: requests that came.
        mined: those that are in blocks, or made one.
        refused: those that found the queue full.
        queued: those that wait at the end.
        blocks: how many blocks were connected.
        ended_s: when it ended, in seconds.
        peak_depth: the most that waited.
        longest_age_s: the longest that the oldest had waited, in seconds.
        over_target_s: for how long the oldest had waited longer than the target drain time.
        peak_miners: the most miners, those that start included.
        miner_s: what the miners cost, from the decision to start to the end, in miner-seconds.
        ideal_miner_s: what the blocks cost on average with all miners always at work.
        scale_outs: how often miners were asked for.
        scale_ins: how often miners were let go.
        turns: how often the one followed the other.
    """

    arrived: int
    mined: int
    refused: int
    queued: int
    blocks: int
    ended_s: float
    peak_depth: int
    longest_age_s: float
    over_target_s: float
    peak_miners: int
    miner_s: float
    ideal_miner_s: float
    scale_outs: int
    scale_ins: int
    turns: int


def simulate(world: World, shape: Shape) -> tuple[list[Sample], Summary]:
    """Run ``world`` under a load of ``shape``; the samples are :data:`STEP_S` apart."""
    model = Model(world, shape)
    samples: list[Sample] = []
    patience_s = _TIMEOUT_FACTOR * world.load_s + world.start_delay_s + world.policy.quiet_s
    while model.now_s < world.load_s + patience_s:
        samples.append(model.step())
        is_over = model.now_s > world.load_s and not model.depth
        if is_over and samples[-1].size == world.policy.least:
            break
    return samples, _summarise(world, model, samples)


def _summarise(world: World, model: Model, samples: list[Sample]) -> Summary:
    late = sum(sample.oldest_age_s > world.policy.target_drain_s for sample in samples)
    return Summary(
        arrived=model.arrived,
        mined=model.mined,
        refused=model.refused,
        queued=model.depth,
        blocks=model.blocks,
        ended_s=round(model.now_s, 1),
        peak_depth=max(sample.depth for sample in samples),
        longest_age_s=max(sample.oldest_age_s for sample in samples),
        over_target_s=round(late * STEP_S, 1),
        peak_miners=max(sample.size for sample in samples),
        miner_s=round(sum(sample.size for sample in samples) * STEP_S, 1),
        ideal_miner_s=round(model.blocks * 2**world.rules.bits / world.hash_rate, 1),
        scale_outs=model.fleet.scale_outs,
        scale_ins=model.fleet.scale_ins,
        turns=model.fleet.turns,
    )
