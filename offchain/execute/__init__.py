"""Bit-exact execution of integer graphs: the NumPy meaning and the torch runtime."""
