# One file, a target for each image: ingest-zammad, reconciler, push-kimai, query-api, ui, hourbook (the
# command: migrations, backups), twins (for the demo only). `docker compose build` builds them all.
ARG PYTHON=python:3.13-slim
ARG NODE=node:24-slim
ARG NGINX=nginxinc/nginx-unprivileged:1.29

# ---------------------------------------------------------------------------------------- building
FROM ${PYTHON} AS build
COPY bootstrap.lock /build/
RUN python -m venv /uv \
 && /uv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes --only-binary :all: \
      -r /build/bootstrap.lock \
 && python -m venv --without-pip /app
# Faust has no wheel for arm64: a compiler is needed there, and stays in this stage
ARG TARGETARCH
# hadolint ignore=DL3008
RUN if [ "$TARGETARCH" = arm64 ]; then \
      apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /build
ENV UV_PYTHON=/app UV_CACHE_DIR=/var/cache/uv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy PATH=/uv/bin:$PATH
# the workspace's own pyproject.toml stays out: with it the members would be installed editable
COPY requirements.lock deploy/containers/install-locked ./
COPY contracts contracts
COPY kit kit

# Each image gets what its members ask for, and of that only what the lock has a hash of.
FROM build AS build-ingest-zammad
COPY services/ingest-zammad services/ingest-zammad
COPY connectors connectors
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit services/ingest-zammad connectors/csv

FROM build AS build-reconciler
COPY services/reconciler services/reconciler
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit services/reconciler

FROM build AS build-push-kimai
COPY services/push-kimai services/push-kimai
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit services/push-kimai

FROM build AS build-query-api
COPY services/query-api services/query-api
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit services/query-api

FROM build AS build-hourbook
COPY services/ingest-zammad services/ingest-zammad
COPY services/reconciler services/reconciler
COPY services/push-kimai services/push-kimai
COPY services/query-api services/query-api
COPY connectors connectors
COPY cli cli
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit \
      services/ingest-zammad connectors/csv services/reconciler services/push-kimai services/query-api cli

FROM build AS build-twins
COPY simulators simulators
RUN --mount=type=cache,target=/var/cache/uv \
    ./install-locked contracts kit simulators

FROM ${NODE} AS build-ui
WORKDIR /build/services/ui
COPY services/ui/package.json services/ui/package-lock.json services/ui/.npmrc ./
RUN --mount=type=cache,target=/var/cache/npm \
    npm ci --ignore-scripts --no-progress --cache /var/cache/npm
COPY services/query-api/openapi.json /build/services/query-api/
COPY services/ui ./
RUN npx openapi-ts --silent && npx vite build --logLevel warn

# ---------------------------------------------------------------------------------------- running
FROM ${PYTHON} AS run
RUN groupadd --gid 10001 hourbook \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin hourbook \
 && install -d -o hourbook -g hourbook -m 700 /var/lib/hourbook \
 && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip
ENV PATH=/app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOURBOOK_HOST=0.0.0.0
WORKDIR /
USER 10001:10001
STOPSIGNAL SIGTERM
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.vendor="Hourbook" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

FROM run AS ingest-zammad
LABEL org.opencontainers.image.title="hourbook-ingest-zammad" \
      org.opencontainers.image.description="Hears and reads Zammad, and puts facts on the ledger"
COPY --from=build-ingest-zammad /app /app
EXPOSE 8301
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --start-interval=1s \
  CMD ["python", "-m", "hourbook_kit.probe", "http://127.0.0.1:8301/health/ready"]
ENTRYPOINT ["python", "-m", "hourbook_ingest_zammad"]

FROM run AS reconciler
LABEL org.opencontainers.image.title="hourbook-reconciler" \
      org.opencontainers.image.description="Folds the ledger, decides, and keeps the read model"
COPY --from=build-reconciler /app /app
EXPOSE 8302
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --start-interval=1s \
  CMD ["python", "-m", "hourbook_kit.probe", "http://127.0.0.1:8302/health/ready"]
ENTRYPOINT ["python", "-m", "hourbook_reconciler"]

FROM run AS push-kimai
LABEL org.opencontainers.image.title="hourbook-push-kimai" \
      org.opencontainers.image.description="Writes what was decided to Kimai, once, and observes it"
COPY --from=build-push-kimai /app /app
EXPOSE 8303
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --start-interval=1s \
  CMD ["python", "-m", "hourbook_kit.probe", "http://127.0.0.1:8303/health/ready"]
ENTRYPOINT ["python", "-m", "hourbook_push_kimai"]

FROM run AS query-api
LABEL org.opencontainers.image.title="hourbook-query-api" \
      org.opencontainers.image.description="The read model over REST, and what people decide"
COPY --from=build-query-api /app /app
EXPOSE 8300
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --start-interval=1s \
  CMD ["python", "-m", "hourbook_kit.probe", "http://127.0.0.1:8300/api/health/ready"]
ENTRYPOINT ["python", "-m", "hourbook_query_api"]

FROM run AS hourbook
LABEL org.opencontainers.image.title="hourbook" \
      org.opencontainers.image.description="The hourbook command: migrations, backups, rebuilds"
COPY --from=build-hourbook /app /app
HEALTHCHECK NONE
ENTRYPOINT ["hourbook"]
CMD ["--help"]

FROM run AS twins
LABEL org.opencontainers.image.title="hourbook-twins" \
      org.opencontainers.image.description="Twins of Zammad and Kimai, for the demo and for nothing else"
COPY --from=build-twins /app /app
EXPOSE 8310 8311
ENTRYPOINT ["python", "-m"]
CMD ["hourbook_simulators.zammad", "--host", "0.0.0.0"]

# nginx's own image, which runs as nobody in particular; its entrypoint puts the addresses in
FROM ${NGINX} AS ui
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.vendor="Hourbook" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.title="hourbook-ui" \
      org.opencontainers.image.description="The pages, and the one door to API and webhooks"
COPY services/ui/nginx.conf /etc/nginx/templates/default.conf.template
COPY --from=build-ui /build/services/ui/dist /usr/share/nginx/html
ENV NGINX_ENVSUBST_FILTER=^HOURBOOK_
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --start-interval=1s \
  CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/"]
