# The gateway as an image: `docker build -t contact-gateway .`, settings from the environment. Without a
# GATEWAY_DATABASE_URL it keeps its data in an SQLite file in the volume /data.

FROM node:22-bookworm-slim AS node

FROM python:3.13-slim-bookworm AS build
# Node and npm, for the explorer alone; they stay in this stage.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && pip install --no-cache-dir 'uv>=0.13'
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
# The dependencies change seldom, so they are a layer of their own.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --all-extras --no-install-project
COPY . .
RUN CONTACT_GATEWAY_RELEASE=1 uv sync --locked --no-dev --all-extras --no-editable

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --create-home gateway
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
# A number, so that a cluster can see that it is not root.
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# `gateway serve` refuses 0.0.0.0, and says why, until there is an API key or GATEWAY_AUTH says who may call.
CMD ["gateway", "serve", "--host", "0.0.0.0"]
