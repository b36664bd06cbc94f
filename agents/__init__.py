"""LangGraph graphs that answer and act, and what they judge with. They receive models and searches as ports."""
