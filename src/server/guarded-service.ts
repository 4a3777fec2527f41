import { fault } from '../base/faults/fault.js';
import type {
  Call,
  Handlers,
  Service,
  StreamCall,
  StreamHandler,
  UnaryHandler,
} from '../transport/service.js';
import { service } from '../transport/service.js';
import type { ServiceOf } from '../wire/names.js';
import { access } from './access.js';
import type { Authoriser, Caller } from './authorise.js';

/** A handler that runs only for callers that may call its method, and is told who it is. */
type Guarded<Handler> =
  Handler extends UnaryHandler<infer Request, infer Response>
    ? { unary(request: Request, caller: Caller, call: Call): Promise<Response | Uint8Array> }
    : Handler extends StreamHandler<infer Request, infer Response>
      ? { stream(call: GuardedStream<Request, Response>, caller: Caller): Promise<void> }
      : never;

export interface GuardedStream<Request, Response> extends StreamCall<Request, Response> {
  /** Asks again: a stream outlives what was true when it was opened. Throws as the first time. */
  authoriseAgain(): Promise<Caller>;
}

export type GuardedHandlers<Definition> = {
  readonly [Method in keyof Handlers<Definition>]: Guarded<NonNullable<Handlers<Definition>[Method]>>;
};

// What the handlers of any service look like once their types were checked.
interface AnyGuarded {
  unary?(request: unknown, caller: Caller, call: Call): Promise<unknown>;
  stream?(call: GuardedStream<unknown, unknown>, caller: Caller): Promise<void>;
}

/**
 * A service behind the table of `access.ts`: no method is served that is not in it, and none without asking it. Its other
 * methods are refused with SRV0107, to callers that may call them.
 */
export function guardedService<Name extends string>(
  name: Name,
  authoriser: Authoriser,
  handlers: Partial<GuardedHandlers<ServiceOf<Name>>>,
): Service {
  const given = new Map(Object.entries(handlers as Record<string, AnyGuarded>));
  const table = access[name] ?? {};
  for (const method of given.keys()) {
    if (!table[method]) throw new Error(`nobody may call ${name}.${method}: it is not in the access table`);
  }
  const guarded = Object.entries(table).map(([method, roles]) => {
    const authorise = (call: Call) => authoriser.authorise(call.peer, `${name}.${method}`, roles);
    const handler = given.get(method) ?? notServed(`${name}.${method}`);
    return [method, guard(handler, authorise, authoriser)] as const;
  });
  return service(name, Object.fromEntries(guarded) as Handlers<ServiceOf<Name>>);
}

/** All of these take one request and give one answer. */
function notServed(method: string): AnyGuarded {
  return {
    unary: async () => {
      throw fault('SRV0107', { method });
    },
  };
}

function guard(
  handler: AnyGuarded,
  authorise: (call: Call) => Promise<Caller>,
  authoriser: Authoriser,
): unknown {
  const { unary, stream } = handler;
  if (unary) {
    return { unary: async (request: unknown, call: Call) => unary(request, await authorise(call), call) };
  }
  if (!stream) throw new Error('a handler is neither unary nor a stream');
  return {
    stream: async (call: StreamCall<unknown, unknown>) => {
      const authoriseAgain = () => authorise(call);
      const caller = await authorise(call);
      const answered = () => stream({ ...call, authoriseAgain }, caller);
      await (caller.kind === 'agent'
        ? whileActive(caller, authoriser, authoriseAgain, answered)
        : answered());
    },
  };
}

/** A stream that nothing happens on ends too once its agent may not have it any more (S12), with the reason. */
async function whileActive(
  { peer }: Caller & { kind: 'agent' },
  authoriser: Authoriser,
  authoriseAgain: () => Promise<Caller>,
  answered: () => Promise<void>,
): Promise<void> {
  let stop = () => {};
  const refused = new Promise<never>((_, reject) => {
    stop = authoriser.whenInactive(peer, () => authoriseAgain().then(() => {}, reject));
  });
  try {
    await Promise.race([answered(), refused]);
  } finally {
    stop();
  }
}
