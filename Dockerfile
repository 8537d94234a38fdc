# syntax=docker/dockerfile:1
# Two stages on the official Node image. The second takes the node binary alone: npm, yarn and the headers would be a third of the image.

FROM node:26-alpine AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY bin bin
COPY src src
COPY views views
# What no program reads at run time: types, source maps, sources of packages, texts.
RUN find node_modules \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' -o -name '*.md' -o -name '*.markdown' \) -type f -delete \
 && rm -rf node_modules/@bufbuild/protobuf/dist/cjs node_modules/@zitadel/proto/cjs node_modules/@zitadel/proto/types node_modules/zod/src node_modules/zod/v3 node_modules/mongodb/src node_modules/bson/src \
 && mkdir -p /data

FROM alpine:3.22
RUN apk add --no-cache libstdc++ && adduser -D -H -u 10001 dossier
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build --chown=0:0 /app /app
COPY --from=build --chown=10001:10001 /data /data
USER 10001
WORKDIR /app
ENV NODE_ENV=production \
    DOSSIER_HOST=0.0.0.0 \
    DOSSIER_STORE=sqlite:/data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "bin/healthcheck.js"]
ENTRYPOINT ["node", "--max-semi-space-size=4", "bin/dossier.js"]
CMD ["serve"]
