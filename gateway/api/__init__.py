"""The GraphQL API: thin resolvers over `upsert` and the catalogs."""
