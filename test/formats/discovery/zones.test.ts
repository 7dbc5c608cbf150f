/** Where an address is, and who may send us there. */
import { describe, expect, test } from 'vitest';
import { mayEnter, zoneOf } from '../../../formats/discovery/zones.ts';

describe('zoneOf()', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['172.32.0.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['::1', 'loopback'],
    ['::', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['224.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['ff02::1', 'reserved'],
    ['2002:7f00:1::', 'reserved'],
    // What stands for an address of IPv4 is where that one is.
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['64:ff9b::1', 'loopback'],
    ['64:ff9b:1::1', 'private'],
    ['no address', 'reserved'],
    ['', 'reserved'],
  ])('%s is %s', (address, zone) => {
    expect(zoneOf(address)).toBe(zone);
  });
});

describe('mayEnter()', () => {
  test('the user may go anywhere', () => {
    for (const zone of ['public', 'private', 'loopback', 'link-local', 'reserved'] as const)
      expect(mayEnter(undefined, zone)).toBe(true);
  });

  test('anybody may send us to the public', () => {
    for (const zone of ['public', 'private', 'loopback', 'link-local', 'reserved'] as const)
      expect(mayEnter(zone, 'public')).toBe(true);
  });

  test.each([
    ['public', 'private', false],
    ['public', 'loopback', false],
    ['public', 'link-local', false],
    ['public', 'reserved', false],
    ['private', 'private', true],
    ['private', 'loopback', false],
    ['private', 'link-local', false],
    ['loopback', 'loopback', true],
    ['loopback', 'private', false],
    ['loopback', 'link-local', false],
    ['link-local', 'link-local', true],
    ['reserved', 'reserved', false],
  ] as const)('a %s server may send us to a %s one: %s', (from, to, may) => {
    expect(mayEnter(from, to)).toBe(may);
  });
});
