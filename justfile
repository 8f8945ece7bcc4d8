# The menu. Everything here is also a plain command; nothing needs just.

# List what there is.
default:
    @just --list

# Start a server on a folder of its own under target/.
dev *ARGS:
    cargo run -- serve --data target/dev {{ARGS}}

# Run the tests whose names match.
t *FILTER:
    cargo nextest run --workspace {{FILTER}}

# Format, lint, check dependencies and documentation.
lint:
    ./test lint

# Everything that CI runs.
ci:
    ./test

# Bring generated files up to date: OpenAPI, command reference, snapshots.
gen:
    cargo xtask gen

# Fuzz every decoder, 60 s each (needs a nightly toolchain and cargo-fuzz).
fuzz SECONDS="60":
    cargo xtask fuzz {{SECONDS}}

# Kill server and client at random moments, 1,000 rounds.
crash ROUNDS="1000":
    WHARF_CRASH_ROUNDS={{ROUNDS}} cargo nextest run -p wharf --run-ignored all crash_loop

# The long forms of the tests: some hours.
long:
    ./test long

# Compare with other programs on this machine.
bench *ARGS:
    cargo build --release && bench/run {{ARGS}}
