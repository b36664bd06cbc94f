"""Trying a challenger on live traffic: who meets it, how it does, and when it is taken back."""
