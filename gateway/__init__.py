"""contact-gateway: one GraphQL API in front of three systems that hold an organization's people."""
