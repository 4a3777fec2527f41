import type { Service } from '../../transport/service.js';
import { guardedService } from '../guarded-service.js';
import type { ApiContext } from './context.js';
import { bundleMessage } from './messages.js';

/** `spire.api.server.bundle.v1.Bundle`: the trust bundle of the server's own trust domain. */
export function bundleService({ authoriser, authorities }: ApiContext): Service {
  return guardedService('spire.api.server.bundle.v1.Bundle', authoriser, {
    GetBundle: { unary: async ({ output_mask }) => bundleMessage(authorities.own(), output_mask) },
  });
}
