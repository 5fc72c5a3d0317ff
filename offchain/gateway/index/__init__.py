"""The chain as tables: jobs, disputes, operators and money, derived from events alone.

Everything here can be deleted: it is rebuilt from the chain, row by row the same.
"""
