// The direction of imports (ARCHITECTURE.md): a room imports lower rows only, never its own row, and there are no cycles.
export const rows = [
  ['base'],
  ['spiffe'],
  ['registration', 'policy', 'wire'],
  ['envoy'],
  ['telemetry', 'disk'],
  ['transport'],
  ['xds'],
  ['sds', 'workload-api', 'attestation', 'ca', 'federation'],
  ['server', 'control', 'agent', 'http'],
  ['store'],
  ['app'],
  ['demo'],
  ['cli'],
];

/** Rooms without I/O: no sockets, files, processes, threads. */
export const pureRooms = ['base', 'spiffe', 'registration', 'policy', 'envoy'];

const rooms = rows.flat();
const folder = (names) => `^src/(${names.join('|')})/`;

const directions = rows.flatMap((row, index) =>
  row.map((room) => ({
    name: `${room}-imports-lower-rows-only`,
    severity: 'error',
    from: { path: folder([room]) },
    to: { path: folder([...rows.slice(index).flat()]), pathNot: folder([room]) },
  })),
);

export default {
  forbidden: [
    ...directions,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      from: { path: '^src/', pathNot: folder(rooms) },
      to: {},
    },
    {
      name: 'src-does-not-import-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^test/|\\.test\\.ts$' },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: { path: folder(pureRooms), pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|fs/promises|net|tls|http|http2|https|dgram|dns|child_process|worker_threads|cluster|os|process)$',
      },
    },
    {
      name: 'only-app-imports-store',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(app|store)/' },
      to: { path: '^src/store/' },
    },
    {
      name: 'only-checks-seal-secrets',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/envoy/(tls-certificate|validation-context)\\.ts$' },
      to: { path: '^src/envoy/seal-secret\\.ts$' },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules|^proto/' },
    exclude: { path: '^dist/' },
  },
};
