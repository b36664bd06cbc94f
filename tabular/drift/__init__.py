"""Drift of tabular models: has what they meet, or what they achieve, moved further than it does by itself?"""
