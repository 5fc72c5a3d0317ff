"""The command line: nouns are groups, verbs are commands, errors become exit codes."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click
from click.shell_completion import CompletionItem

from offchain.cli.hints import find_hint
from offchain.cli.output import EXIT_HELP, ExitCode, get_exit_code
from offchain.errors import OffchainError

# noun -> (module, help): a module is imported only when its noun is used.
NOUNS: Final = {
    "key": ("offchain.cli.key", "Make key files."),
    "model": ("offchain.cli.model", "Train, import, check and register models."),
    "chain": ("offchain.cli.chain", "Start a local chain, deploy, look at a deployment."),
    "operator": ("offchain.cli.operator", "Stake, run jobs, answer challenges."),
    "job": ("offchain.cli.job", "Escrow a job, watch it, settle it, keep the evidence."),
    "session": ("offchain.cli.session", "One deposit, many signed requests, results in batches."),
    "order": ("offchain.cli.order", "Order by signature, at a price that rises."),
    "quorum": ("offchain.cli.quorum", "One inference by several operators, drawn by stake."),
    "audit": ("offchain.cli.audit", "Have the beacon decide whether a result must be proven."),
    "challenge": ("offchain.cli.challenge", "Dispute results and collect what was won."),
    "dispute": ("offchain.cli.dispute", "Look at disputes over traces, foresee and move them."),
    "evidence": ("offchain.cli.evidence_files", "Export a dispute, check it without a node."),
    "gateway": ("offchain.cli.gateway", "Serve content, orders, sessions, an index."),
    "dapp": ("offchain.cli.dapp", "Serve the web page."),
    "srs": ("offchain.cli.srs", "Import a ceremony's powers of tau, look at them."),
    "guardian": ("offchain.cli.guardian", "Pause, refunds, renunciation: two of three members."),
    "withdraw": ("offchain.cli.withdraw", "Take credit out of the vault."),
    "economics": ("offchain.cli.economics", "Which locks deter, and whether checking pays."),
    "doctor": ("offchain.cli.doctor.command", "Look at everything a role stands on."),
    "completion": ("offchain.cli.completion", "Print a shell's completion script."),
    "drill": ("offchain.cli.drill.command", "Play every fault on a fresh local chain."),
    "demo": ("offchain.cli.demo.command", "Run the scenarios on a fresh local chain."),
}


PROGRAM: Final = "zkdps"


class LazyGroup(click.Group):
    """Loads a noun's module on use, so that a client never imports an operator's packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the nouns."""
        return list(NOUNS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import and return a noun's group."""
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(NOUNS[cmd_name][0])
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the nouns without importing them."""
        offered = [
            CompletionItem(noun, help=text)
            for noun, (_, text) in NOUNS.items()
            if noun.startswith(incomplete)
        ]
        return offered + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the nouns without importing them."""
        with formatter.section("Nouns"):
            formatter.write_dl([(noun, text) for noun, (_, text) in NOUNS.items()])


@click.group(cls=LazyGroup, epilog=EXIT_HELP)
@click.version_option(package_name="offchain")
def cli() -> None:
    """Buy and sell inference: results are cheap claims, proven only when somebody objects.

    \b
    A first tour:   zkdps demo
    As a client:    zkdps job submit --help
    As an operator: zkdps operator run --help
    """


def main() -> None:
    """Run the command line; expected errors become one line and a documented exit code."""
    try:
        cli(prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except click.Abort:
        sys.exit(130)  # the shell's convention for an interrupt
    except OffchainError as error:
        print(f"error: {error}", file=sys.stderr)
        hint = find_hint(error)
        if hint is not None:
            print(f"hint: {hint}", file=sys.stderr)
        sys.exit(get_exit_code(error))


if __name__ == "__main__":
    main()
