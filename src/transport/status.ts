import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { Fault } from '../base/faults/fault.js';
import type { Log } from '../telemetry/log.js';
import { encode } from '../wire/messages.js';

const detailsKey = 'grpc-status-details-bin';

/**
 * The status with which an error ends a call. A Fault says its code, sentence and way out; its detail, where it has one, is
 * sent as gRPC's richer error model has it (a `google.rpc.Status` in the trailer `grpc-status-details-bin`).
 * Anything else is a bug of ours: it is logged, and its text never leaves the process.
 */
export function statusOfError(error: unknown, log: Log): StatusObject {
  if (!(error instanceof Fault)) {
    log.error({ error }, 'a call failed for a reason that is a bug');
    return { code: status.INTERNAL, details: 'internal error', metadata: new Metadata() };
  }
  const { code, message, hint, detail } = error;
  log[error.status === 'INTERNAL' ? 'error' : 'info']({ error }, 'a call was refused');
  const details = `${code}: ${message} (${hint})`;
  const metadata = new Metadata();
  if (detail) {
    const packed = { type_url: detail.typeUrl, value: Buffer.from(detail.value) };
    const rich = { code: status[error.status], message: details, details: [packed] };
    metadata.set(detailsKey, encode('google.rpc.Status', rich));
  }
  return { code: status[error.status], details, metadata };
}
