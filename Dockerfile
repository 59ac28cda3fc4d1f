# Two images of one build, both without shell, package manager or root: nothing but Node, the C library and Tidemark. A third is Spark with
# Tidemark in it, for runs on a Spark cluster.
#
#   docker build --target server -t localhost/tidemark:0.1.0 .
#   docker build --target agent  -t localhost/tidemark-agent:0.1.0 .
#   docker build --target spark  -t localhost/tidemark-spark:0.1.0 .
ARG NODE_VERSION=24.21.0

FROM docker.io/library/node:${NODE_VERSION}-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-fund --no-audit --ignore-scripts
COPY . .
RUN npm run prepare
# The agent's package, as JavaScript of its own.
RUN node --input-type=module -e "import { buildAgentPackage } from './cli/agent-package/build.ts'; await buildAgentPackage('/agent')" \
  && cd /agent && npm install --omit=dev --no-fund --no-audit --ignore-scripts
# What only development needs, and what other systems need, goes.
RUN npm prune --omit=dev --no-fund --no-audit --ignore-scripts \
  && find node_modules/better-sqlite3/prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete \
  && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
  && find node_modules /agent/node_modules -type f \( -name '*.md' -o -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
  && find node_modules -name '*.so' -exec strip --strip-unneeded {} + \
  && rm -rf tsconfig.json vitest.config.ts biome.json package-lock.json
# The file system of the images: what `ldd` says that Node and its additions load.
RUN mkdir -p /root-fs/usr/local/bin /root-fs/etc /root-fs/tmp /root-fs/var/lib/tidemark \
  && cp /usr/local/bin/node /root-fs/usr/local/bin/node && strip --strip-unneeded /root-fs/usr/local/bin/node \
  && { ldd /usr/local/bin/node; find node_modules -name '*.node' -exec ldd {} +; } | grep -o '/[^ ]*\.so[^ ]*' | grep -v '^/app/' | sort -u | xargs -I{} cp -L --parents {} /root-fs \
  && echo 'tidemark:x:10001:10001::/var/lib/tidemark:/nologin' > /root-fs/etc/passwd \
  && echo 'tidemark:x:10001:' > /root-fs/etc/group \
  && echo 'hosts: files dns' > /root-fs/etc/nsswitch.conf \
  && chown 10001:10001 /root-fs/var/lib/tidemark && chmod 700 /root-fs/var/lib/tidemark && chmod 1777 /root-fs/tmp

FROM scratch AS agent
COPY --from=build /root-fs /
COPY --from=build /agent /app
USER 10001:10001
WORKDIR /var/lib/tidemark
VOLUME /var/lib/tidemark
ENTRYPOINT ["/usr/local/bin/node", "/app/cli/agent-package/entry.js"]

FROM docker.io/apache/spark:4.2.1-scala2.13-java17-ubuntu AS spark
USER root
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /root-fs/var/lib/tidemark /var/lib/tidemark
RUN echo 'tidemark:x:10001:10001::/var/lib/tidemark:/nologin' >> /etc/passwd
ENV TIDEMARK_DATA=/var/lib/tidemark
USER 10001:10001
WORKDIR /var/lib/tidemark
VOLUME /var/lib/tidemark
ENTRYPOINT ["/usr/local/bin/node", "/app/cli/entry.js"]

FROM scratch AS server
COPY --from=build /root-fs /
COPY --from=build /app /app
ENV TIDEMARK_DATA=/var/lib/tidemark
USER 10001:10001
WORKDIR /var/lib/tidemark
VOLUME /var/lib/tidemark
ENTRYPOINT ["/usr/local/bin/node", "/app/cli/entry.js"]
CMD ["up"]
