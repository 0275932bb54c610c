# syntax=docker/dockerfile:1
# For those who have Docker; "make images" builds the same programs without it.
#   docker build --build-arg SERVICE=gateway -t gateway .
ARG SERVICE=operator

FROM node:20-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM golang:1.26-bookworm AS build
ARG SERVICE
ARG VERSION=0.1.0
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/web/dist web/dist
RUN package=./services/$SERVICE; \
    if [ "$SERVICE" = operator ]; then package=./cmd/operator; fi; \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o "/out/bin/$SERVICE" "$package"
RUN mkdir -p /out/etc \
    && printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >/out/etc/passwd \
    && printf 'root:x:0:\nnonroot:x:65532:\n' >/out/etc/group

FROM build AS media
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN go run ./services/sample-media/make --out=/sample-media

FROM scratch AS static
COPY --from=build /out/ /
USER 65532:65532

FROM static AS operator
ENTRYPOINT ["/bin/operator"]

FROM static AS gateway
ENTRYPOINT ["/bin/gateway"]

FROM static AS streaming
ENTRYPOINT ["/bin/streaming"]

FROM static AS sample-media
COPY --from=media /sample-media /sample-media
ENTRYPOINT ["/bin/sample-media"]

FROM ${SERVICE}
