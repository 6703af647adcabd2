"""What people and their monitoring read of a gateway: /metrics and /status."""
