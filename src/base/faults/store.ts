import type { FaultRow } from './row.js';

export const storeFaults = {
  STO0101: {
    sentence: 'the database `{path}` cannot be opened: {code}',
    hint: 'name a data directory that this user may write to, on a disk that has room',
    status: 'FAILED_PRECONDITION',
  },
  STO0102: {
    sentence: '`{path}` is open to others than this user: its mode is {mode} and its owner is uid {uid}',
    hint: 'make the data directory 0700 and its files 0600, owned by the user that runs the server',
    status: 'FAILED_PRECONDITION',
  },
  STO0103: {
    sentence: 'another process has the database `{path}` open',
    hint: 'stop the other server, or give this one a data directory of its own',
    status: 'FAILED_PRECONDITION',
  },
  STO0104: {
    sentence: 'the database `{path}` belongs to the trust domain `{found}`, not to `{trustDomain}`',
    hint: 'start the server with the trust domain of its data directory, or with an empty data directory',
    status: 'FAILED_PRECONDITION',
  },
  STO0105: {
    sentence: 'the database `{path}` has version {version}; this program knows versions up to {known}',
    hint: 'run the program that wrote it or a later one, or restore a backup from before',
    status: 'FAILED_PRECONDITION',
  },
  STO0106: {
    sentence: '`{path}` is damaged or no database of this program',
    hint: 'restore it from a backup, together with the authorities beside it',
    status: 'DATA_LOSS',
  },
  STO0201: {
    sentence: 'the disk of `{path}` is full, so nothing was written',
    hint: 'make room on the disk and try again; what was acknowledged before is safe',
    status: 'UNAVAILABLE',
  },
  STO0202: {
    sentence: '`{path}` cannot be written: the file or its disk is read-only',
    hint: 'make the file and its folder writable for the user that runs the server, and the disk writable at all',
    status: 'UNAVAILABLE',
  },
  STO0203: {
    sentence: 'the disk failed under `{path}` (SQLite error {code}), so nothing was written',
    hint: 'look at the disk and the log of the machine; what was acknowledged before is safe',
    status: 'UNAVAILABLE',
  },
  STO0204: {
    sentence: 'the store in `{path}` has stopped',
    hint: 'look at the log of the server for the reason, and start it again',
    status: 'UNAVAILABLE',
  },
} as const satisfies Record<`STO${number}`, FaultRow>;
