"""Benchmarks: each measures us and a reference in the same run, in turns, and reports the ratio.

`python -m evals.bench [NAME…]` runs them; nothing here is a test, for time depends on the machine.
"""
