# Tapline in a container: locked dependencies, no build step, not root. State in /var/lib/tapline.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:24-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY src src
COPY mappings mappings
COPY dashboards/generated dashboards/generated
COPY detections detections
COPY sample sample
RUN mkdir -p /var/lib/tapline/tapline && chown -R node:node /var/lib/tapline
USER node
ENV XDG_STATE_HOME=/var/lib/tapline
VOLUME /var/lib/tapline
ENTRYPOINT ["node", "bin/tapline.js"]
CMD ["run"]
