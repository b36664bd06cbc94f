"""Engines: what serves a chat model. All of them speak the OpenAI chat-completion protocol, as JSON objects."""
