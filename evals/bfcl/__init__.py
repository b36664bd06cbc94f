"""Function calling as the Berkeley Function-Calling Leaderboard asks and judges it (Patil et al., ICML 2025).

Its description: gorilla.cs.berkeley.edu/blogs/8_berkeley_function_calling_leaderboard.html
"""
