"""Guests: real Debian systems under systemd-nspawn that play the EC2 instances of a stack."""
