import type { Service } from '../../transport/service.js';
import { agentService } from './agent.js';
import { bundleService } from './bundle.js';
import type { ApiContext } from './context.js';
import { entryService } from './entry.js';
import { svidService } from './svid.js';

/** SPIRE's server API, as far as it is served. The same services stand on TLS and on the admin socket: callers differ, not methods. */
export function serverApi(context: ApiContext): Service[] {
  return [agentService(context), bundleService(context), entryService(context), svidService(context)];
}
