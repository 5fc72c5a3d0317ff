"""The demonstration from end to end: model, chain, scenarios, balances, gas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from offchain.cli.demo.ledger import sum_gas
from offchain.cli.demo.narrator import Narrator, show_ether
from offchain.cli.demo.offers import DIGITS, prepare_offer
from offchain.cli.demo.outvoted import OUTVOTED, play_outvoted
from offchain.cli.demo.scenarios import SCENARIOS, Result, Scenario
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import World, open_world
from offchain.errors import ConfigError

MODEL: Final = DIGITS.folder
SAMPLE: Final = 7  # row of the held-out scans
SHADES: Final = " .:-=+*#%@"  # 0..16 in ten steps
SIDE: Final = 8


def play_scenarios(
    folder: Path,
    models: Path,
    names: Sequence[str],
    write: Callable[[str], None],
    is_hurried: bool = True,
) -> tuple[Result, ...]:
    """Play the named scenarios, or all; raise OffchainError when one cannot be played out."""
    chosen = choose_scenarios(names)
    narrator = Narrator(write)
    prepare_model(models, narrator)
    sample = load_sample()
    narrator.say("the input, a scan that the network has not seen in training:")
    for row in draw(sample):
        write("            " + row)
    with open_world(folder, models, MODEL, sample, narrator, is_hurried, part_keys="none") as world:
        results = tuple(
            play_quorum(world) if scenario is OUTVOTED else play(world, scenario)
            for scenario in chosen
        )
    tell_summary(narrator, results)
    return results


def choose_scenarios(names: Sequence[str]) -> tuple[Scenario, ...]:
    """Return scenarios by name, all of them for no name; raise ConfigError for an unknown one."""
    every = (*SCENARIOS, OUTVOTED)
    known = {scenario.name: scenario for scenario in every}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"no scenario {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else every


def prepare_model(models: Path, narrator: Narrator) -> None:
    """Train and publish the digits network unless it is there."""
    prepare_offer(models, DIGITS, narrator)


def load_sample() -> list[int]:
    """Return a held-out scan, 64 pixels of 0..16."""
    from offchain.model.train_digits import load_split

    return [int(pixel) for pixel in load_split().held_out.x[SAMPLE]]


def draw(pixels: Sequence[int]) -> list[str]:
    """Return a scan as lines of characters."""
    shades = [SHADES[pixel * (len(SHADES) - 1) // 16] * 2 for pixel in pixels]
    return ["".join(shades[i : i + SIDE]) for i in range(0, len(shades), SIDE)]


def play(world: World, scenario: Scenario) -> Result:
    """Play one scenario and tell what it came to."""
    narrator = world.narrator
    narrator.say()
    narrator.say(f"=== {scenario.title} ({scenario.name})")
    play = Play(world, scenario)
    names = {address.lower(): name for name, address in play.accounts.items()}
    narrator.follow(world.open_cursor(world.folder / f"{scenario.name}-events.sqlite3"), names)
    result = play.run()
    tell_result(narrator, result)
    return result


def play_quorum(world: World) -> Result:
    """Play the quorum's scenario and tell what it came to."""
    world.narrator.say()
    world.narrator.say(f"=== {OUTVOTED.title} ({OUTVOTED.name})")
    result = play_outvoted(world)
    tell_result(world.narrator, result)
    return result


def tell_result(narrator: Narrator, result: Result) -> None:
    """Tell outcome, money and gas."""
    scenario = result.scenario
    narrator.say(
        f"outcome: {result.outcome} (must be {scenario.outcome}); prover entered "
        f"{result.proofs_generated} times, {result.proofs_refused} proofs refused on chain; "
        f"{result.seconds:.0f} s"
    )
    narrator.say("processes: " + ", ".join(f"{name} {pid}" for name, pid in result.pids.items()))
    narrator.say(f"{'':11}{'before':>27}{'after':>27}{'gas paid':>27}{'gained':>27}")
    for party, holding in result.before.holdings.items():
        paid = sum(t.cost_wei for t in result.transactions if t.party == party)
        before, after = holding.total_wei, result.after.holdings[party].total_wei
        narrator.say(
            f"{party:11}{show_ether(before):>27}{show_ether(after):>27}"
            f"{show_ether(paid):>27}{show_ether(after - before + paid):>27}"
        )
    burned = result.after.burned_wei - result.before.burned_wei
    narrator.say(f"{'burned':11}{'':81}{show_ether(burned):>27}")
    if result.leaks:
        narrator.say(f"DOES NOT ADD UP: {dict(result.leaks)}")
    else:
        narrator.say("adds up to the wei: before = after + gas paid + burned; vault = its ledger")


def tell_summary(narrator: Narrator, results: Sequence[Result]) -> None:
    """Tell gas by step, and all money together."""
    narrator.say()
    narrator.say("=== Gas by step")
    gas = [sum_gas(result.transactions) for result in results]
    names = (result.scenario.name for result in results)
    narrator.say(f"{'':22}" + "".join(f"{name:>22}" for name in names))
    for step in dict.fromkeys(step for by_step in gas for step in by_step):
        figures = (f"{by_step[step]:,}" if step in by_step else "-" for by_step in gas)
        narrator.say(f"{step:22}" + "".join(f"{figure:>22}" for figure in figures))
    before = sum(h.total_wei for r in results for h in r.before.holdings.values())
    after = sum(h.total_wei for r in results for h in r.after.holdings.values())
    paid = sum(t.cost_wei for r in results for t in r.transactions)
    burned = sum(r.after.burned_wei - r.before.burned_wei for r in results)
    narrator.say()
    narrator.say("=== All parties' money, in wei")
    narrator.say(f"before    {before:>24}")
    narrator.say(f"after     {after:>24}")
    narrator.say(f"gas paid  {paid:>24}")
    narrator.say(f"burned    {burned:>24}")
    narrator.say(f"missing   {before - after - paid - burned:>24}")
