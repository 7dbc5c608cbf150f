/** Strings of a form that a specification gives: times, URIs, media types, digests, platforms, signals. */
import { printable } from '../../formats/bytes/text.ts';

/** RFC 6838, section 4.2. */
export const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
export const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** Algorithms whose encoding is specified, and how many hexadecimal digits they have. */
const REGISTERED: Readonly<Record<string, number>> = { sha256: 64, sha512: 128, blake3: 64 };

export const algorithmIn = (digest: string): string => digest.slice(0, digest.indexOf(':'));
export const isRegistered = (algorithm: string): boolean => Object.hasOwn(REGISTERED, algorithm);

export function hasRightEncoding(digest: string): boolean {
  const algorithm = algorithmIn(digest);
  if (!isRegistered(algorithm)) return true;
  const encoded = digest.slice(algorithm.length + 1);
  return encoded.length === REGISTERED[algorithm] && /^[0-9a-f]+$/.test(encoded);
}

/** ALGORITHM:ENCODED, and of a registered algorithm as many digits as it has. */
export const isDigestText = (value: string): boolean => DIGEST.test(value) && hasRightEncoding(value);

/** RFC 3339, section 5.6. */
const TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

export function isTime(value: string): boolean {
  const match = TIME.exec(value);
  if (!match) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // The calendar repeats after 400 years, and years below 100 would be taken for those of the last century.
  const cycle = 2000 + (year % 400);
  const days = new Date(Date.UTC(cycle, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > days) return false;
  if (second < 60) return true;
  const offset = (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0)) * (match[7] === '-' ? -1 : 1);
  return endsMonth(new Date(Date.UTC(cycle, month - 1, day, hour, minute - offset)));
}

/** A leap second is the last one of a month in UTC, whatever the offset (section 5.7). */
const endsMonth = (minute: Date): boolean =>
  new Date(minute.getTime() + 60_000).toISOString().endsWith('-01T00:00:00.000Z');

/** RFC 3986: what may stand in a name, a path or a query without a meaning of its own. */
const PLAIN = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";
const HOST = "(?:\\[[A-Za-z0-9\\-._~!$&'()*+,;=:%]+\\]|(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)";
/** Two slashes in front are those of a host. */
const AUTHORITY = `(?://(?:${PLAIN}*@)?${HOST}(?::[0-9]*)?(?=[/?#]|$)|(?!//))`;
const URI = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:${AUTHORITY}(?:${PLAIN}|/)*(?:\\?(?:${PLAIN}|[/?])*)?(?:#(?:${PLAIN}|[/?])*)?$`,
);

export const isUri = (value: string): boolean => URI.test(value);

export const isWebAddress = (value: string): boolean => /^https?:/i.test(value);

/** RFC 4648, section 4, with its padding. */
export const isBase64 = (value: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

export const SYSTEMS = words(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos',
);
export const ARCHITECTURES = words(
  '386 amd64 amd64p32 arm arm64 arm64be armbe loong64 mips mips64 mips64le mips64p32 mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm',
);

/** Only architectures that the table of the specification names; the variants of others are their own business. */
const VARIANTS: Readonly<Record<string, RegExp>> = {
  amd64: /^v[1-4]$/,
  arm: /^v[5-8]$/,
  arm64: /^v[89](?:\.[0-9])?$/,
  ppc64le: /^power(?:8|9|10)$/,
  riscv64: /^rva(?:20|22|23)u64$/,
};

export const isVariant = (architecture: string, variant: string): boolean =>
  !Object.hasOwn(VARIANTS, architecture) || VARIANTS[architecture]!.test(variant);

export const isSignal = (value: string): boolean =>
  /^(?:SIGRTMIN(?:\+\d{1,2})?|SIGRTMAX(?:-\d{1,2})?|SIG[A-Z][A-Z0-9]*|\d{1,2})$/.test(value);

/** Absolute, on either kind of system. */
export const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:[\\/]?/.test(path);
export const climbs = (path: string): boolean => /(?:^|[\\/])\.\.(?:[\\/]|$)/.test(path);

/** A folder below `/proc/…/fd`, which `/dev/fd` is too, is what a runtime has open on the host (CVE-2024-21626). */
export const leadsToHost = (path: string): boolean => /^\/+(?:proc\/+(?:[^/]+\/+)+fd|dev\/+fd)(?:\/|$)/.test(path);

/** A domain, in reverse, and a name: `com.example.name`, `example.com/name`. */
export const isBelowDomain = (name: string): boolean => /^[A-Za-z0-9-]+\.[A-Za-z0-9_-]+(?:[./].*)?$/.test(name);

/** Dotted or not, a SemVer 2.0.0. https://semver.org/spec/v2.0.0.html */
export const isSemVer = (value: string): boolean =>
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/.test(
    value,
  );

/** Twelve digits are enough for a person to tell blobs apart. */
export const shortened = (digest: string): string =>
  digest.length > 24 ? `${printable(digest.slice(0, digest.indexOf(':') + 13))}…` : printable(digest);
