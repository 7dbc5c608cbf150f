/**
 * Where in the network an address is, and who may send us there.
 *
 * A page, a redirect and a manifest can name any host. None of them may use us to reach what its own server could not reach from outside: this
 * machine, the network behind it, a cloud's metadata service. docs/decisions/0013-discovery.md has the rule and its reasons.
 */
import { BlockList, isIP } from 'node:net';

export type Zone = 'public' | 'private' | 'loopback' | 'link-local' | 'reserved';

/** https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry */
const NETWORKS: Readonly<Record<Exclude<Zone, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  private: [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '198.18.0.0/15',
    'fc00::/7',
    'fec0::/10',
    '64:ff9b:1::/48',
  ],
  // 6to4 and Teredo hold IPv4 addresses that nobody can vouch for, and nobody needs them any more.
  reserved: ['192.0.0.0/24', '224.0.0.0/3', 'ff00::/8', '2002::/16', '2001::/32', '100::/64'],
};

const LISTS = Object.entries(NETWORKS).map(([zone, networks]) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), family(address));
  }
  return { zone: zone as Zone, list };
});

/** @param address as a socket or a resolver gives it, without brackets; one that is no address is in no zone that anybody may go to */
export function zoneOf(address: string): Zone {
  const plain = address.replace(/%.*$/, '');
  if (!isIP(plain)) return 'reserved';
  const translated = translatedIpv4(plain);
  if (translated) return zoneOf(translated);
  return LISTS.find(({ list }) => list.check(plain, family(plain)))?.zone ?? 'public';
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** NAT64 and mapped addresses stand for one of IPv4, which is what counts. https://www.rfc-editor.org/rfc/rfc6052 */
function translatedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const shortest = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const match = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(shortest);
  const low = /^64:ff9b::([0-9a-f]{1,4})$/.exec(shortest);
  if (!match && !low) return undefined;
  const [high, rest] = [Number.parseInt(match?.[1] ?? '0', 16), Number.parseInt(match?.[2] ?? low![1]!, 16)];
  return [high >> 8, high & 255, rest >> 8, rest & 255].join('.');
}

/** @param from where the server is that names the address; undefined where the user himself does */
export const mayEnter = (from: Zone | undefined, to: Zone): boolean =>
  from === undefined || to === 'public' || (to === from && to !== 'reserved');
