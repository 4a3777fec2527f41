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
  STO0301: {
    sentence: 'the URL of the database cannot be used: {problem}',
    hint: 'write postgres://USER@HOST:PORT/DATABASE?PARAMETER=VALUE, as for psql',
    status: 'INVALID_ARGUMENT',
  },
  STO0302: {
    sentence: 'the URL of the database has a password, which everybody on this machine can read',
    hint: 'put the URL into a file of mode 0600 and name it with --store-file, or use PGPASSFILE or PGSERVICEFILE',
    status: 'INVALID_ARGUMENT',
  },
  STO0303: {
    sentence:
      '`{path}` may hold a password and is open to others: its mode is {mode} and its owner is uid {uid}',
    hint: 'give it to the user that runs the server and make it 0600',
    status: 'FAILED_PRECONDITION',
  },
  STO0304: {
    sentence: '`{path}` cannot be used to connect to the database: {problem}',
    hint: 'make the file what the URL of the database or the environment says it is',
    status: 'FAILED_PRECONDITION',
  },
  STO0305: {
    sentence: 'sslmode `{mode}` is not possible for `{place}`',
    hint: 'use sslmode=verify-full (the default) or verify-ca; only a database on this machine may do without (disable)',
    status: 'INVALID_ARGUMENT',
  },
  STO0306: {
    sentence: 'sslmode `verify-ca` for `{place}` names no certificate authority of its own',
    hint: 'add sslrootcert=FILE: without it every certificate of any public authority would be accepted',
    status: 'INVALID_ARGUMENT',
  },
  STO0307: {
    sentence: 'the database `{place}` does not let this server in: {problem}',
    hint: 'put the password into the URL of --store-file, PGPASSFILE or PGSERVICEFILE, and look at pg_hba.conf',
    status: 'FAILED_PRECONDITION',
  },
  STO0308: {
    sentence: 'the database `{place}` could not be verified by TLS: {problem}',
    hint: 'turn TLS on in the database, and name the authority of its certificate with sslrootcert=FILE in the URL',
    status: 'FAILED_PRECONDITION',
  },
  STO0309: {
    sentence: 'the database `{place}` is not suitable: {problem}',
    hint: 'use {wanted}',
    status: 'FAILED_PRECONDITION',
  },
  STO0401: {
    sentence: 'the database `{place}` does not answer: {problem}',
    hint: 'look whether it runs and can be reached; the server goes on from memory and connects again by itself',
    status: 'UNAVAILABLE',
  },
  STO0402: {
    sentence: 'the database `{place}` went away during a commit, so nobody knows whether it was written',
    hint: 'look whether the change is there once the database answers again, and repeat it if it is not',
    status: 'UNAVAILABLE',
  },
  STO0403: {
    sentence: 'the disk of the database `{place}` is full, so nothing was written',
    hint: 'make room on its disk and try again; what was acknowledged before is safe',
    status: 'UNAVAILABLE',
  },
  STO0404: {
    sentence: 'the database `{place}` can only be read: it follows another one, or was set to read-only',
    hint: 'name the primary in the URL of the database',
    status: 'UNAVAILABLE',
  },
  STO0405: {
    sentence: 'the database `{place}` refused (SQLSTATE {state}), so nothing was written: {problem}',
    hint: 'look at the log of the database; its user needs to own the tables, or to be allowed to create them',
    status: 'UNAVAILABLE',
  },
  STO0501: {
    sentence: '`{path}` is no backup of a server',
    hint: 'name a file that `plastron server backup` wrote',
    status: 'FAILED_PRECONDITION',
  },
  STO0502: {
    sentence: 'the backup `{path}` is damaged: {problem}',
    hint: 'use another backup; nothing was changed',
    status: 'DATA_LOSS',
  },
  STO0503: {
    sentence:
      'the backup `{path}` was written by a later program: its {what} has version {version}, this one knows {known}',
    hint: 'restore it with the program that wrote it, or a later one; nothing was changed',
    status: 'FAILED_PRECONDITION',
  },
  STO0504: {
    sentence: 'the backup `{path}` is of the trust domain `{found}`, not of `{trustDomain}`',
    hint: 'use a backup of this trust domain; nothing was changed',
    status: 'FAILED_PRECONDITION',
  },
  STO0505: {
    sentence:
      'the backup `{path}` is open to others than this user: its mode is {mode} and its owner is uid {uid}',
    hint: 'treat keys that others could read as lost; if nobody did, make the file 0600, owned by this user',
    status: 'FAILED_PRECONDITION',
  },
  STO0506: {
    sentence: 'the data directory `{folder}` is not empty: {names}',
    hint: 'name an empty folder, or give --force, which moves what is there into a folder beside what is restored',
    status: 'ALREADY_EXISTS',
  },
  STO0507: {
    sentence: 'the backup `{path}` cannot be read: {code}',
    hint: 'check the name, and that this user may read the file',
    status: 'INVALID_ARGUMENT',
  },
  STO0508: {
    sentence: 'the backup cannot be put into `{folder}`: {code}',
    hint: 'name a data directory that this user may write to, on a disk that has room for all of it',
    status: 'FAILED_PRECONDITION',
  },
  STO0509: {
    sentence: 'the database cannot be copied to `{path}` for a backup: {code}',
    hint: 'make room on the disk of the data directory, for a second database, and see that it can be written',
    status: 'FAILED_PRECONDITION',
  },
  STO0510: {
    sentence: 'the backup `{path}` cannot be restored like that: {problem}',
    hint: 'name with --store or --store-file the database that was restored by its own tools, and only then',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`STO${number}`, FaultRow>;
