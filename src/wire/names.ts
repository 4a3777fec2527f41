import type { ProtoGrpcType as EnvoyProtos } from '@envoyproxy/protos/types/root.js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType as SpiffeProtos } from '@plastron/spiffe-protos/types/root.js';
import type { ProtoGrpcType as OwnProtos } from '../../proto/plastron/types/root.js';

type Protos = EnvoyProtos & SpiffeProtos & OwnProtos;

type Lookup<Tree, Name extends string> = Name extends `${infer Head}.${infer Rest}`
  ? Head extends keyof Tree
    ? Lookup<Tree[Head], Rest>
    : never
  : Name extends keyof Tree
    ? Tree[Name]
    : never;

// `never extends …` is true, so a name that is in none of them has to be caught first.
type Messages<Name extends string> = [Lookup<Protos, Name>] extends [never]
  ? { in: never; out: unknown }
  : Lookup<Protos, Name> extends MessageTypeDefinition<infer In, infer Out>
    ? { in: In; out: Out }
    : { in: never; out: unknown };

/** The type of the values that `encode` takes for a message name; `never` for a name that is in none of them. */
export type MessageIn<Name extends string> = Messages<Name>['in'];

/** The type of the values that `decode` gives for a message name. Every field may be missing. */
export type MessageOut<Name extends string> = Messages<Name>['out'];

/** The grpc-js definition type of a service name; `unknown` for a name that is in none of them. */
export type ServiceOf<Name extends string> = [Lookup<Protos, Name>] extends [never]
  ? unknown
  : Lookup<Protos, Name> extends { service: infer Definition }
    ? Definition
    : unknown;
