"""Benchmarks' own scorers, verdict for verdict: what a leaderboard would say, never blended with Whetstone's ≈."""
