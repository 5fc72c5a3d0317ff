"""The meaning of the language in plain NumPy (LANGUAGE.md); every other runtime must equal it."""

from offchain.execute.reference.meaning import KERNELS, run, run_traced

__all__ = ["KERNELS", "run", "run_traced"]
