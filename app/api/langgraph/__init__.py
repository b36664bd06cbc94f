"""The protocol of `langgraph-sdk`, at the root: assistants, threads, runs, store and crons."""
