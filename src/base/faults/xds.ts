import type { FaultRow } from './row.js';

export const xdsFaults = {
  XDS0101: {
    sentence: 'xDS request without a type URL',
    hint: 'on an aggregated stream every request says the type that it is about',
    status: 'INVALID_ARGUMENT',
  },
  XDS0102: {
    sentence: '`{typeUrl}` is asked for from a service of another type',
    hint: 'ask this service for {served}, or use the aggregated service',
    status: 'INVALID_ARGUMENT',
  },
  XDS0103: {
    sentence: 'more than {limit} names of one type are asked for on one stream',
    hint: 'ask for the names that are used, or for everything',
    status: 'RESOURCE_EXHAUSTED',
  },
  XDS0104: {
    sentence: 'the identity that the stream was opened for does not stand any more',
    hint: 'open a new stream',
    status: 'UNAUTHENTICATED',
  },
  XDS0105: {
    sentence: 'a name of more than {limit} characters is asked for',
    hint: 'ask for the names that are used',
    status: 'INVALID_ARGUMENT',
  },
} as const satisfies Record<`XDS${number}`, FaultRow>;
