# syntax=docker/dockerfile:1

# The build needs the development dependencies; the image does not have them.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY dashboard ./dashboard
COPY src ./src
RUN npm run build

# What runs: the locked dependencies, and the optional peers that the server can use.
FROM node:24-bookworm-slim AS modules
WORKDIR /modules
COPY package.json package-lock.json .npmrc scripts/image-dependencies.ts ./
RUN node image-dependencies.ts && npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4848 CLERK_SYNC_SHUTDOWN_DELAY=5s
WORKDIR /app
COPY --from=modules /modules/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
# Only the embedded database writes: to /app/.clerk-sync, when DATABASE_URL is not set.
RUN install -d -o 1000 -g 1000 .clerk-sync
# The user `node`, by number: Kubernetes cannot see otherwise that it is not root.
USER 1000:1000
EXPOSE 4848
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["start"]
