"""/v1/realtime: a conversation by voice, in the events of OpenAI's Realtime API."""
