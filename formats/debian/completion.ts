/**
 * What finishes an installation inside the image, where the user asks for it: the maintainer scripts, by dpkg itself.
 * https://www.debian.org/doc/debian-policy/ch-maintainerscripts.html
 *
 * Two packages come first, since scripts of others take for granted what they make: users, and the folders and files of /etc. Without
 * `awk` (an alternative, which a script of mawk makes) the second of them cannot. No service is started.
 */
const SCRIPT = `set -e
umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C
[ -e /usr/bin/awk ] || [ ! -e /usr/bin/mawk ] || ln -s mawk /usr/bin/awk
made=
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  made=yes
fi
for first in base-passwd base-files; do
  [ ! -e "/var/lib/dpkg/info/$first.postinst" ] || dpkg --force-depends --configure "$first"
done
dpkg --configure -a
[ -z "$made" ] || rm /usr/sbin/policy-rc.d
`;

export const COMPLETION: readonly string[] = ['/bin/sh', '-c', SCRIPT];
