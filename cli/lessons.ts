/** What the help of each command teaches beside its options: examples that can be pasted, what its exit status says. Help and man pages are made of it. */

export interface Lesson {
  readonly examples: readonly Example[];
  /** What somebody has to know to read what the command prints. A paragraph each. */
  readonly notes?: readonly string[];
  /** In the order of their numbers. */
  readonly exit: readonly (readonly [status: number, meaning: string])[];
}

/** A command line, and what it is for. */
export type Example = readonly [line: string, meaning: string];

type Exit = Lesson['exit'];

const USAGE: Exit = [[2, 'wrong usage']];
const READING: Exit = [
  ...USAGE,
  [3, 'not recognised, or not supported'],
  [4, 'refused: malformed, truncated, unsafe, over a limit, a digest that does not match'],
];
const INTERRUPTED: Exit = [[130, 'interrupted; 143 by SIGTERM, 129 by SIGHUP']];

const looking: Exit = [[0, 'done'], ...READING, [6, 'a network failure'], ...INTERRUPTED];
const writing: Exit = [
  [0, 'done'],
  ...READING,
  [5, '--strict, and something would be lost'],
  [6, 'a network failure'],
  [7, 'OUT cannot be written, or is in the way; as after every failure it is as it was before'],
  ...INTERRUPTED,
];
const finding = (equal: string, found: string): Exit => [[0, equal], ...READING, [8, found], ...INTERRUPTED];

/** By the name of the command. */
export const LESSONS: Readonly<Record<string, Lesson>> = {
  convert: {
    examples: [
      ['ocix convert app.tar out/', 'every image of a docker save archive, into a layout'],
      ['docker save app:1.0 | ocix convert --compress zstd - out/', 'from a pipe, with other compression'],
      ['ocix convert docker-archive:all.tar.gz:app:1.0 out/', 'one of several images'],
      ['ocix convert --to docker-archive oci:out:app:1.0 app.tar', 'back to what docker load takes'],
      ['ocix convert --to tar app.tar - | tar t', 'the flattened root filesystem, to standard output'],
      ['ocix convert --strict --report report.html app.tar out/', 'nothing may be lost; with a page to read'],
    ],
    exit: writing,
  },
  docker2oci: {
    examples: [
      ['ocix docker2oci app.tar', 'writes app.oci'],
      ['ocix docker2oci app.tar.gz out/', 'writes out/'],
      ['docker save app | ocix docker2oci - app.oci', 'from a pipe'],
    ],
    exit: writing,
  },
  deb2oci: {
    examples: [
      ['ocix deb2oci hello_2.10-3_amd64.deb libc6_*.deb hello/', 'writes hello/'],
      [
        'ocix deb2oci --exec /usr/bin/hello --layers package *.deb hello/',
        'with something to run, a layer for each package',
      ],
    ],
    exit: writing,
  },
  docker2aci: {
    examples: [
      ['ocix docker2aci busybox.tar', 'writes library-busybox-latest.aci'],
      ['ocix docker2aci all.tar:app:1.0 app.aci', 'one of several images'],
      ['docker save app | ocix docker2aci - app.aci', 'from a pipe'],
    ],
    exit: writing,
  },
  deb2aci: {
    examples: [
      ['ocix deb2aci hello_2.10-3_amd64.deb libc6_*.deb hello.aci', 'writes hello.aci'],
      [
        'ocix deb2aci --exec /usr/bin/hello --ref example.com/hello:2.10 *.deb hello.aci',
        'with something to run, and a name',
      ],
    ],
    exit: writing,
  },
  aci2oci: {
    examples: [
      ['ocix aci2oci app.aci', 'writes app.oci'],
      ['ocix aci2oci --dep images/ app.aci out/', 'with the images that it depends on'],
      ['ocix aci2oci --dep rkt:/var/lib/rkt app.aci out/', 'which an rkt host has'],
      ['ocix aci2oci --require-signature --keyring keys/ app.aci', 'nothing that no trusted key has signed'],
    ],
    exit: writing,
  },
  bundle: {
    examples: [
      ['ocix bundle app.tar app/ && (cd app && runc run app)', 'unpack it and run it'],
      ['ocix bundle --rootless oci:out:app:1.0 app/', 'without privileges'],
      ['docker save app | ocix bundle --read-only - app/', 'from a pipe'],
      ['ocix bundle --dep images/ pod.json pod/ && pod/run', 'a pod: a bundle for each app, started together'],
      ['ocix bundle rkt:/var/lib/rkt:@6733c088-a507-4694-aabf-178b28c5ca1c pod/', 'a pod that an rkt host ran'],
    ],
    exit: writing,
  },
  unpack: {
    examples: [
      ['ocix unpack app.tar rootfs/', 'with owners, modes, times, links and attributes'],
      ['ocix unpack --rootless tar:rootfs.tar.xz rootfs/', 'owners are recorded'],
      ['ocix unpack --uid-map 0:100000:65536 --gid-map 0:100000:65536 app.tar rootfs/', 'for a user namespace'],
    ],
    exit: writing,
  },
  'runtime-config': {
    examples: [
      ['ocix runtime-config app.tar', 'on standard output'],
      ['ocix runtime-config --rootfs rootfs/ --read-only oci:out:app:1.0 config.json', 'beside a rootfs that is there'],
      ['ocix runtime-config --strict app.aci > config.json', 'nothing that the image says may be lost'],
    ],
    exit: writing,
  },
  migrate: {
    examples: [
      ['ocix migrate rkt:/var/lib/rkt estate/', 'every image of an rkt host'],
      ['ocix migrate --report estate.html images/ estate/', 'a folder of images, with a page to read'],
      ['ocix migrate --parallel 4 --compress zstd images/ estate/', 'started again, it goes on where it was stopped'],
    ],
    exit: writing.map(([status, meaning]) => [
      status,
      status === 4 ? `${meaning}; or some images failed, and the others are written` : meaning,
    ]),
  },
  inspect: {
    examples: [
      ['ocix inspect app.tar', 'what it runs, how it is made up'],
      ['ocix inspect --json oci:out:app:1.0', 'for a program'],
      ['ocix inspect --platform linux/arm64 oci:out', 'one platform of several'],
    ],
    exit: looking,
  },
  ls: {
    examples: [
      ['ocix ls app.tar /etc', 'what is below /etc'],
      ['ocix ls --layer 0 --json oci:out:app:1.0', 'the base layer, an entry a line'],
      ['ocix ls --digest tar:rootfs.tar.xz', 'with the sha256 of each file'],
    ],
    exit: looking,
  },
  diff: {
    notes: [
      'Prints a line a difference: added, removed or changed; config or the path; the fields that differ. Which layers they come from, and what could not be compared, goes to standard error. docs/diff.md says what counts.',
    ],
    examples: [
      ['ocix diff app.tar oci:out:app:1.0', 'did the conversion change anything?'],
      ['ocix diff app.aci bundle:app', 'would the bundle run what the image says?'],
      ['ocix diff oci:out:app:1.0 /run/app/rootfs', 'what has a container changed since it started?'],
      ['ocix diff --content --ignore mtime old.tar new.tar', 'with the texts that differ; times do not count'],
    ],
    exit: finding('equal', 'something differs'),
  },
  validate: {
    notes: [
      'Prints every finding: its level and rule, where it is, what is wrong, what to do; and a verdict at the end. MUST is broken: another tool may refuse it. SHOULD: a recommendation of the specification is not followed. NOTE: good to know. docs/validate.md has all rules.',
    ],
    examples: [
      ['ocix validate oci:out', 'an image layout, with the content of every layer'],
      ['ocix validate --level should app.tar', 'is it unconditionally compliant?'],
      ['ocix validate --fast --json oci:out', 'without the layers, for a program'],
      ['ocix validate app/', 'a runtime bundle, and what this machine could not run'],
      ['ocix validate --from manifest manifest.json', 'a single document'],
    ],
    exit: finding('no MUST is broken (with --level should: no SHOULD either)', 'there is'),
  },
  verify: {
    notes: [
      'A keyring is a folder of keys (armored or binary), a file of keys, or an rkt trusted-keys folder: root.d/FINGERPRINT is trusted for all names, prefix.d/NAME/FINGERPRINT for that name and those below it. Without --keyring, /etc/rkt/trustedkeys and /usr/lib/rkt/trustedkeys are taken, where they exist.',
    ],
    examples: [
      ['ocix verify app.aci --keyring keys/', 'the signature is app.aci.asc or app.aci.sig'],
      ['ocix verify app.aci --signature elsewhere/app.sig', 'or somewhere else'],
      ['ocix verify old.aci --keyring keys/ --allow-weak-signatures', 'by what keys of 2015 have'],
    ],
    exit: finding('the signature is good', 'it is not, or there is none'),
  },
  detect: {
    examples: [
      ['ocix detect app.tar', 'by its bytes, never by its name'],
      ['ocix detect --json - < unknown.bin', 'from a pipe, for a program'],
    ],
    exit: looking,
  },
  completion: {
    notes: ['The script knows commands, options, their values and transports, and completes without calling ocix.'],
    examples: [
      ['source <(ocix completion bash)', 'bash, for this session; in ~/.bashrc, for all'],
      ['ocix completion bash > ~/.local/share/bash-completion/completions/ocix', 'bash, loaded when it is needed'],
      ['ocix completion zsh > ~/.zfunc/_ocix', 'zsh: a folder of $fpath, before compinit'],
      ['ocix completion fish > ~/.config/fish/completions/ocix.fish', 'fish'],
    ],
    exit: [[0, 'done'], ...USAGE],
  },
};
