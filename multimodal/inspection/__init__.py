"""Field reports: photos, voice notes and typed notes become findings, each with the evidence that it rests on."""
