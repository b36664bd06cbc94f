"""The retail service desk of τ²-bench (Yao et al. 2024, Barres et al. 2025): its data, its tools, its judge."""
