import type { ServiceError } from '@grpc/grpc-js';
import { Fault, fault } from '../base/faults/fault.js';
import { idMessage as messageOf } from '../server/api/messages.js';
import { parseSpiffeId } from '../spiffe/id.js';
import { dialUnix } from '../transport/dial-unix.js';
import { type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import type { MessageIn, MessageOut } from '../wire/names.js';

export const adminSocketOption = [
  '--admin-socket <path>',
  'the admin socket of the server, as it was started with',
] as const;

export interface AdminOptions {
  adminSocket: string;
}

/** What the server says no to is told in its own words; only a server that does not answer is a failed connection. */
export async function withServer<Result>(
  { adminSocket }: AdminOptions,
  use: (server: GrpcConnection) => Promise<Result>,
): Promise<Result> {
  const server = dialUnix(adminSocket);
  try {
    return await use(server);
  } catch (error) {
    throw told(error, adminSocket);
  } finally {
    server.close();
  }
}

/** A call that failed, in the words of somebody who typed a command. */
function told(error: unknown, socket: string): unknown {
  const status = remoteStatus(error);
  if (!(error instanceof Fault) || status === undefined) return error;
  const { details } = error.cause as ServiceError;
  if (status === 'UNAVAILABLE') {
    const [, reason = details] =
      /Last error: (?:Error: )?(.*?)(?:\. Resolution note.*)?$/s.exec(details) ?? [];
    return fault('CLI0404', { socket, reason }, { cause: error });
  }
  if (status === 'DEADLINE_EXCEEDED') return fault('CLI0405', { socket }, { cause: error });
  if (status === 'PERMISSION_DENIED' || status === 'UNAUTHENTICATED') {
    return fault('CLI0402', { problem: details }, { cause: error });
  }
  if (status === 'UNIMPLEMENTED') return fault('CLI0403', { problem: details }, { cause: error });
  return refusal(details, error);
}

/** A refusal that arrived as text, as a status of a call or of a member of a batch. */
export function refusal(text: string, cause?: unknown): Fault {
  return fault('CLI0401', refusalParts(text), { cause });
}

/** Takes `REG0201: what is wrong (the way out)` apart. */
export function refusalParts(text: string): { problem: string; hint: string } {
  const [, problem = text, hint = 'look at the log of the server'] = /^(.*?) \((.*)\)$/s.exec(text) ?? [];
  return { problem, hint };
}

export function idText(id: MessageOut<'spire.api.types.SPIFFEID'> | undefined | null): string {
  return id ? `spiffe://${id.trust_domain ?? ''}${id.path ?? ''}` : '';
}

/** An ID that a user wrote, for the server to judge. */
export function idMessage(text: string): MessageIn<'spire.api.types.SPIFFEID'> {
  return messageOf(parseSpiffeId(text));
}
