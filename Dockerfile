# syntax=docker/dockerfile:1
# The command line and the server as one program, in an image without a shell, run by nobody in particular.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p booking-cli && cp target/release/booking /booking && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /booking /usr/local/bin/booking
COPY --from=build --chown=nonroot:nonroot /data /var/lib/booking
ENV BOOKING_LISTEN=0.0.0.0:8080 BOOKING_STORE=sqlite:/var/lib/booking/booking.db BOOKING_LOG_FORMAT=json
VOLUME /var/lib/booking
EXPOSE 8080
# Where the port is another, BOOKING_URL tells `booking health`.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["/usr/local/bin/booking", "health"]
ENTRYPOINT ["/usr/local/bin/booking"]
CMD ["serve"]
