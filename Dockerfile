# One static binary in an image with nothing else to speak of. It runs as nobody in particular
# (65532) and writes nowhere but to /var/lib/rollcall, and there only with SQLite or without a
# secret key of its own: with PostgreSQL and a key in a file the root file system may be read-only.
#
#	docker build -t rollcall --build-arg VERSION=v0.1.0 .
#	docker run --read-only -v rollcall:/var/lib/rollcall -p 127.0.0.1:8095:8095 rollcall
#
# docs/operate.md has the rest.

FROM golang:1.26.8 AS build
WORKDIR /src
# Go's answer to a missing toolchain would be to fetch one: the tag above and go.mod agree instead.
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
COPY go.mod go.sum ./
COPY internal/nocgo ./internal/nocgo
RUN go mod download
COPY . .
ARG VERSION=dev
RUN go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/rollcall ./cmd/rollcall \
 && mkdir -p /out/state

# For the health check alone: the image below has no shell and no other program.
FROM busybox:1.37.0-musl AS probe

# It has certificates of authorities (for mail servers and webhooks), time zones, and the user.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=probe /bin/busybox /usr/bin/wget
COPY --from=build /out/rollcall /usr/local/bin/rollcall
COPY --from=build --chown=65532:65532 /out/state /var/lib/rollcall
WORKDIR /var/lib/rollcall
USER 65532:65532
EXPOSE 8095
STOPSIGNAL SIGTERM
# /readyz of the management listener, which is on loopback inside the container.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
	CMD ["/usr/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8096/readyz"]
ENTRYPOINT ["/usr/local/bin/rollcall"]
CMD ["serve"]
