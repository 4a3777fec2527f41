import type { ServiceError } from '@grpc/grpc-js';
import { Fault, fault } from '../base/faults/fault.js';
import { dialUnix } from '../transport/dial-unix.js';
import { type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import type { MessageOut } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';

export const adminSocketOption = [
  '--admin-socket <path>',
  'the admin socket of the server, as it was started with',
] as const;

/** What the server says no to is told in its own words; only a server that does not answer is a failed connection. */
export async function withServer<Result>(
  adminSocket: string,
  use: (server: GrpcConnection) => Promise<Result>,
): Promise<Result> {
  const server = dialUnix(adminSocket);
  try {
    return await use(server);
  } catch (error) {
    const status = remoteStatus(error);
    if (!(error instanceof Fault) || status === undefined || status === 'UNAVAILABLE') throw error;
    throw refusal((error.cause as ServiceError).details, error);
  } finally {
    server.close();
  }
}

/** A refusal that arrived as text, `REG0201: what is wrong (the way out)`, as a status of a call or of a member of a batch. */
export function refusal(text: string, cause?: unknown): Fault {
  const [, problem = text, hint = 'look at the log of the server'] = /^(.*?) \((.*)\)$/s.exec(text) ?? [];
  return fault('CLI0401', { problem, hint }, { cause });
}

export type EntryMessage = MessageOut<'spire.api.types.Entry'>;

/** Every entry of the server, page by page. */
export async function listEntries(server: GrpcConnection): Promise<EntryMessage[]> {
  const { ListEntries } = serviceDefinition('spire.api.server.entry.v1.Entry');
  const entries: EntryMessage[] = [];
  let page_token = '';
  do {
    const page = await server.unary(ListEntries, { page_token });
    entries.push(...(page.entries ?? []));
    page_token = page.next_page_token ?? '';
  } while (page_token !== '');
  return entries;
}

export function idText(id: MessageOut<'spire.api.types.SPIFFEID'> | undefined | null): string {
  return `spiffe://${id?.trust_domain ?? ''}${id?.path ?? ''}`;
}
