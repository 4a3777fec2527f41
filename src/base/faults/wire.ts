import type { FaultRow } from './row.js';

export const wireFaults = {
  WIR0101: {
    sentence: 'no message is called `{type}`',
    hint: 'write the full name as in its .proto file; a file that is not vendored yet is added in scripts/protos/sources.mjs',
    status: 'INTERNAL',
  },
  WIR0102: {
    sentence: '`{path}` has no field `{field}`: it is a {type}',
    hint: 'use one of its fields: {fields}',
    status: 'INTERNAL',
  },
  WIR0103: {
    sentence: '`{value}` in `{path}` is not a value of the enum {type}',
    hint: 'use one of its names: {names}',
    status: 'INTERNAL',
  },
  WIR0104: {
    sentence: '`{path}` sets both `{first}` and `{second}`, of which `{oneof}` allows one',
    hint: 'leave one of the two out',
    status: 'INTERNAL',
  },
  WIR0105: {
    sentence: '`{path}` says that `{oneof}` is `{named}`, which is not the arm that it sets',
    hint: 'leave `{oneof}` out: the arm that is set says enough',
    status: 'INTERNAL',
  },
  WIR0106: {
    sentence: '`{path}` must be {expected}, and is {actual}',
    hint: 'write the value in the form that the field has; an absent field is left out',
    status: 'INTERNAL',
  },
  WIR0107: {
    sentence: '`{value}` in `{path}` is not a {type}',
    hint: 'write a whole number that the type holds; 64-bit integers as decimal strings',
    status: 'INTERNAL',
  },
  WIR0108: {
    sentence: '`{url}` in `{path}` is not the type URL of a message that we know',
    hint: 'write type.googleapis.com/ and the full name; a file that is not vendored yet is added in scripts/protos/sources.mjs',
    status: 'INTERNAL',
  },
  WIR0109: {
    sentence: '`{path}` lies deeper than {max} messages',
    hint: 'flatten the message',
    status: 'INTERNAL',
  },
  WIR0110: {
    sentence: '`{path}` has half a surrogate pair, which has no form in UTF-8',
    hint: 'write whole characters; use a field of bytes for what is not text',
    status: 'INTERNAL',
  },
  WIR0201: {
    sentence: '`{path}` has no `{field}`, which every {type} must have',
    hint: 'set `{field}`',
    status: 'INTERNAL',
  },
  WIR0202: {
    sentence: '`{path}` sets nothing for `{oneof}`',
    hint: 'set one of {arms}',
    status: 'INTERNAL',
  },
  WIR0203: {
    sentence: '`{path}` has {actual} {unit}, fewer than {least}',
    hint: 'fill it, or leave out the message that holds it',
    status: 'INTERNAL',
  },
  WIR0204: {
    sentence: '`{path}` has {actual} {unit}, more than {most}',
    hint: 'shorten or split it',
    status: 'INTERNAL',
  },
  WIR0301: {
    sentence: 'the bytes are not a {type} message',
    hint: 'compare the versions of both sides: the sender speaks another protocol, or the message was cut short',
    status: 'INVALID_ARGUMENT',
  },
  WIR0401: {
    sentence: 'no service is called `{service}`',
    hint: 'write the full name as in its .proto file; a file that is not vendored yet is added in scripts/protos/sources.mjs',
    status: 'INTERNAL',
  },
} as const satisfies Record<`WIR${number}`, FaultRow>;
