"""OpenAI's `/v1/responses`: each response is one run of the model `wayside` on a thread."""
