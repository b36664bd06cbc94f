"""Evaluation: suites (data plus scorers), the runner, reports and gates; `evals/bench` measures speed."""
