#!/bin/sh
# Makes the secrets that compose.yaml reads, once; those that exist are kept.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
make_secret() {
  [ -s "secrets/$1" ] && return
  "$2" rand "$3" "$4" > "secrets/$1"
  # Containers read it as a user of their own; the folder is closed to others.
  chmod 644 "secrets/$1"
}
make_secret token openssl -hex 32
make_secret cluster openssl -hex 32
make_secret database openssl -hex 24 # in an address, so without characters that mean something there
make_secret evidence openssl -base64 32
echo "secrets are in $(pwd)/secrets"
