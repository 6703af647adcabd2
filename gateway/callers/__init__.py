"""Who calls the gateway, and what each caller may do: keys, tokens, scopes, rates."""
