import type { Service } from '../../transport/service.js';
import { guardedService } from '../guarded-service.js';
import { agentService } from './agent.js';
import { backupService } from './backup.js';
import { bundleService } from './bundle.js';
import type { ApiContext } from './context.js';
import { debugService } from './debug.js';
import { entryService } from './entry.js';
import { healthService } from './health.js';
import { loggerService } from './logger.js';
import { svidService } from './svid.js';

/**
 * SPIRE's server API, every method of it, the health protocol, and backups. The same services stand on TLS and on the admin socket:
 * callers differ, not methods.
 */
export function serverApi(context: ApiContext): Service[] {
  const { authoriser } = context;
  return [
    agentService(context),
    backupService(context),
    bundleService(context),
    debugService(context),
    entryService(context),
    healthService(context),
    loggerService(context),
    svidService(context),
    guardedService('spire.api.server.localauthority.v1.LocalAuthority', authoriser, {}),
    guardedService('spire.api.server.trustdomain.v1.TrustDomain', authoriser, {}),
  ];
}
