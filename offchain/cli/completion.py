"""`zkdps completion`: scripts that let a shell complete nouns, verbs, options and files."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "zkdps"
VARIABLE: Final = "_ZKDPS_COMPLETE"  # by which the script asks this program for completions


@click.command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a completion script for a shell.

    \b
    bash: zkdps completion bash >> ~/.bashrc              (bash 4.4 or later)
    zsh:  zkdps completion zsh >> ~/.zshrc                (after compinit)
    fish: zkdps completion fish > ~/.config/fish/completions/zkdps.fish
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"no completion for {shell}")
    # The group is not needed: the script only calls this program again.
    script = completion(click.Group(PROGRAM), {}, PROGRAM, VARIABLE)
    print(script.source(), end="")
