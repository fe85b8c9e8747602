"""The policy before loads of every shape: what holds whatever load, fleet and luck are."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from minequeue.chain.protocol.rules import Bounds, Rules
from minequeue.chain.scaling.policy import Policy
from minequeue.compose.config.settings import PREFIX, Settings
from minequeue.compose.wiring.ledger import open_ledger
from tests.simulation.__main__ import make_world, simulation
from tests.simulation.line import Line
from tests.simulation.model import LOOK_S, STEP_S, Model
from tests.simulation.run import simulate
from tests.simulation.search import calculate_time, calculate_work
from tests.simulation.shapes import SHAPES
from tests.simulation.world import World

WORLD = World(
    rules=Rules("sim", 20, 5, 5000, 2**21),
    bounds=Bounds(pending=1_000_000, pending_bytes=2**29),
    policy=Policy(least=0, most=100, target_drain_s=10, quiet_s=60),
    requests_per_minute=6000,
    load_s=300,
    mine_share=0.05,
    hash_rate=1_000_000,
    start_delay_s=5,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    least = draw(st.integers(0, 5))
    return replace(
        WORLD,
        policy=Policy(
            least=least,
            most=draw(st.integers(max(1, least), 1000)),
            target_drain_s=draw(st.sampled_from((2, 10, 30))),
            quiet_s=draw(st.sampled_from((0, 5, 20, 60))),
        ),
        bounds=Bounds(pending=draw(st.sampled_from((50, 1_000_000))), pending_bytes=2**29),
        load_s=draw(st.sampled_from((20, 60))),
        requests_per_minute=draw(st.sampled_from((6, 600, 6000, 60_000))),
        mine_share=draw(st.sampled_from((0.0, 0.01, 0.1, 1.0))),
        hash_rate=draw(st.sampled_from((100_000, 1_000_000, 30_000_000))),
        start_delay_s=draw(st.sampled_from((0.0, 0.5, 5.0, 30.0))),
        rate_noise=draw(st.sampled_from((0.0, 0.1, 0.5))),
        seed=draw(st.integers(0, 1000)),
    )


shapes = pytest.mark.parametrize("shape", SHAPES)


@shapes
@given(world=worlds())
@settings(max_examples=25, deadline=None)
def test_in_every_world_nothing_is_lost_and_the_fleet_keeps_its_bounds(
    shape: str, world: World
) -> None:
    samples, summary = simulate(world, SHAPES[shape])
    assert summary.arrived == summary.mined + summary.queued + summary.refused
    least, most = world.policy.least, world.policy.most
    for sample in samples:
        assert least <= sample.wanted <= most
        assert least <= sample.size <= most
        assert sample.running <= sample.size
        assert sample.depth <= 2 * world.bounds.pending


@shapes
@given(world=worlds())
@settings(max_examples=25, deadline=None)
def test_in_every_world_what_is_wanted_runs_one_look_and_one_start_later(
    shape: str, world: World
) -> None:
    samples, _ = simulate(world, SHAPES[shape])
    steps = round((LOOK_S + world.start_delay_s) / STEP_S)
    for at, sample in enumerate(samples[:-steps]):
        later = samples[at : at + steps + 1]
        assert later[-1].running >= min(one.wanted for one in later)
        if sample.wanted > sample.running:
            soon = samples[at : at + round(LOOK_S / STEP_S) + 1]
            assert max(one.size for one in soon) >= min(one.wanted for one in soon)


@shapes
@given(world=worlds())
@settings(max_examples=25, deadline=None)
def test_in_every_world_nobody_is_let_go_before_the_quiet_time_is_over(
    shape: str, world: World
) -> None:
    samples, summary = simulate(world, SHAPES[shape])
    kept_s = 0.9 * world.policy.quiet_s - LOOK_S  # renewing may be put off by a tenth
    came_s, came_to = -kept_s, 0
    for before, after in pairwise(samples):
        if after.size > before.size:
            came_s, came_to = after.at_s, after.size
        elif after.at_s < came_s + kept_s:
            assert after.size >= came_to
    assert summary.turns <= 2 * (1 + summary.ended_s / max(LOOK_S, kept_s))


@shapes
@pytest.mark.parametrize("seed", range(5))
def test_bursts_closer_than_the_quiet_time_do_not_send_miners_to_and_fro(
    shape: str, seed: int
) -> None:
    policy = replace(WORLD.policy, quiet_s=120)
    _, summary = simulate(replace(WORLD, policy=policy, seed=seed), SHAPES[shape])
    assert summary.turns <= 2 * SHAPES[shape].bursts - 1
    assert summary.queued == 0


@shapes
def test_a_fleet_of_none_comes_with_the_work_and_goes_after_the_quiet_time(shape: str) -> None:
    samples, summary = simulate(WORLD, SHAPES[shape])
    came_s = next(sample.at_s for sample in samples if sample.depth)
    ran_s = next(sample.at_s for sample in samples if sample.running)
    # a first transaction may wait for its block to be due, and then for a look and a start
    assert ran_s - came_s <= WORLD.rules.block_interval_s + LOOK_S + WORLD.start_delay_s + STEP_S
    assert summary.queued == 0
    assert samples[-1].size == 0
    last_s = max(sample.at_s for sample in samples if sample.need)
    gone_s = next(sample.at_s for sample in samples if sample.at_s > last_s and not sample.size)
    quiet_s = WORLD.policy.quiet_s
    assert 0.9 * quiet_s - LOOK_S <= gone_s - last_s <= quiet_s + LOOK_S


def test_a_thousand_miners_take_a_million_requests_a_minute() -> None:
    world = replace(
        WORLD,
        policy=Policy(least=0, most=1000, target_drain_s=10, quiet_s=60),
        requests_per_minute=1_000_000,
        load_s=120,
        mine_share=0.0003,
        hash_rate=20_000,
    )
    _, summary = simulate(world, SHAPES["step"])
    assert summary.arrived >= 1_000_000
    assert (summary.queued, summary.refused) == (0, 0)
    assert summary.peak_miners > 200


@shapes
def test_a_million_requests_a_minute_with_many_blocks_wait_no_longer_than_the_target(
    shape: str,
) -> None:
    world = replace(
        WORLD,
        policy=Policy(least=0, most=1000, target_drain_s=10, quiet_s=60),
        requests_per_minute=1_000_000,
        load_s=60,
        mine_share=0.01,
    )
    _, summary = simulate(world, SHAPES[shape])
    assert (summary.queued, summary.refused) == (0, 0)
    assert summary.longest_age_s <= world.policy.target_drain_s


def test_while_no_speed_is_known_one_request_does_not_start_the_whole_fleet() -> None:
    world = replace(WORLD, requests_per_minute=60, load_s=60, mine_share=1, start_delay_s=30)
    _, summary = simulate(world, SHAPES["step"])
    assert summary.peak_miners <= 31


def test_the_same_seed_gives_the_same_outcome_and_another_one_another() -> None:
    first, second, other = (
        simulate(replace(WORLD, seed=seed), SHAPES["burst"])[1] for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_the_time_of_a_search_is_the_inverse_of_its_work() -> None:
    random = Random(1)
    for _ in range(1000):
        time_s, miners = random.expovariate(10), random.randint(1, 1000)
        work = calculate_work(time_s, miners, 0.05)
        assert calculate_time(work, miners, 0.05) == pytest.approx(time_s)
        assert time_s <= work + 1e-12
        assert work <= miners * time_s + 1e-12


def test_a_block_takes_its_share_of_the_line_in_the_order_of_arrival() -> None:
    line = Line()
    for at_ms in (100, 200, 300):
        line.add(10, at_ms)
    line.take(15)
    assert (line.count, line.oldest_ms) == (15, 200)
    line.take(15)
    assert (line.count, line.oldest_ms) == (0, None)
    with pytest.raises(IndexError):
        line.take(1)


def test_an_even_load_arrives_to_the_last_request() -> None:
    model = Model(replace(WORLD, requests_per_minute=77, load_s=60), SHAPES["step"])
    for _ in range(600):
        model.step()
    assert model.arrived == pytest.approx(77 * 0.6, abs=2)


def test_the_command_prints_a_summary_and_draws_a_picture_that_needs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    picture = tmp_path / "burst.svg"
    options = ["burst", "--miners", "0,20", "--rate", "600", "--minutes", "1"]
    command = [*options, "--plot", str(picture)]
    said = CliRunner().invoke(simulation, command, catch_exceptions=False)
    assert said.exit_code == 0
    assert "changes of direction" in said.output
    first = picture.read_bytes()
    found = CliRunner().invoke(simulation, [*command, "--json"], catch_exceptions=False)
    assert '"turns"' in found.output
    assert picture.read_bytes() == first
    elements = list(ElementTree.fromstring(first).iter())
    names = {element.tag.rpartition("}")[2] for element in elements}
    assert "path" in names
    assert not names & {"script", "image", "use"}
    assert b"@import" not in first


def test_a_shape_that_is_none_is_refused() -> None:
    assert CliRunner().invoke(simulation, ["sine"]).exit_code == 2


def test_what_is_simulated_is_what_the_settings_say_for_the_stack() -> None:
    known = {
        "MINEQUEUE_MINERS": "1,3",
        "MINEQUEUE_FLEET": "2,40",
        "MINEQUEUE_TARGET_DRAIN_TIME": "7",
        "MINEQUEUE_QUIET_TIME": "9",
        "MINEQUEUE_SIGNATURES": "required",
        "MINEQUEUE_MAX_PENDING": "77,7777",
    }
    given_settings = Settings.from_environment(known)
    world = make_world(
        given_settings,
        rate=1,
        minutes=1,
        mine_share=0,
        hash_rate=1,
        start_delay=0,
        seed=1,
    )
    assert world.policy == Policy(least=2, most=40, target_drain_s=7, quiet_s=9)
    assert world.bounds == Bounds(pending=77, pending_bytes=7777)
    ledger = open_ledger(given_settings)
    assert (world.rules, world.rules.signed) == (ledger.rules, True)


@pytest.mark.parametrize(
    ("options", "least", "most"),
    [(["--miners", "1,3"], 2, 40), (["--miners", "1,3", "--fleet", "4,50"], 4, 50)],
)
def test_the_fleet_of_the_settings_is_simulated_and_an_option_wins(
    options: list[str], least: int, most: int
) -> None:
    command = ["step", "--minutes", "0.05", "--rate", "60"]
    done = CliRunner().invoke(
        simulation, [*command, *options], env={"MINEQUEUE_FLEET": "2,40"}, catch_exceptions=False
    )
    assert f" {least} to {most} " in done.output
