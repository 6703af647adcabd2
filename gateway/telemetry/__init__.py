"""What the gateway tells of its own work: metrics and traces. Never a contact's data, nor a secret."""
