"""The GraphQL API and the pages beside it."""
