# Tapline in a container: locked dependencies, the viewer's pages built (`prepare` of npm ci), not root. State in
# /var/lib/tapline.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY scripts/web.ts scripts/
COPY src/viewer src/viewer
RUN npm ci && npm prune --omit=dev

FROM node:24-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=packages /app/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY src src
COPY mappings mappings
COPY dashboards dashboards
COPY scripts/gen scripts/gen
COPY detections detections
COPY sample sample
RUN mkdir -p /var/lib/tapline/tapline && chown -R node:node /var/lib/tapline
USER node
ENV XDG_STATE_HOME=/var/lib/tapline
VOLUME /var/lib/tapline
ENTRYPOINT ["node", "bin/tapline.js"]
CMD ["run"]
