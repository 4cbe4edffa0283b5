#!/usr/bin/env bash
# Makes a guest out of a Debian root file system, the last step of mmdebstrap.
#
#   customize.sh ROOT SUITE
set -Eeuo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$1 suite=$2

install -D -m 0644 "$here/cloud.cfg" "$root/etc/cloud/cloud.cfg.d/99-guest.cfg"
install -D -m 0644 "$here/ds-identify.cfg" "$root/etc/cloud/ds-identify.cfg"
install -m 0644 "$here/DataSourceGuest.py" "$root/usr/lib/python3/dist-packages/cloudinit/sources/"
# Where AWS is: for services, such as the worker of queues, and for the AWS CLI of whoever looks around.
install -D -m 0644 "$here/systemd.conf" "$root/etc/systemd/system.conf.d/aws.conf"
install -D -m 0600 "$here/aws-config" "$root/root"/.aws/config

# The AWS CLI of Debian 12 is older than endpoint_url in a configuration file.
if [[ $suite == bookworm ]]; then
  chroot "$root" dpkg-divert --quiet --local --rename --divert /usr/bin/aws.distrib --add /usr/bin/aws
  install -m 0755 "$here/aws" "$root/usr/bin/aws.guest"
  mv "$root/usr/bin/aws.guest" "$root/usr/bin/aws"
fi
