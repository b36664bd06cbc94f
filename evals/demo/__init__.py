"""The demo company's own tasks: conversations with the whole assistant, judged by what the records hold afterwards."""
