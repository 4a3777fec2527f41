import { healthHandlers } from '../../transport/health.js';
import type { Service } from '../../transport/service.js';
import { access } from '../access.js';
import { guardedService } from '../guarded-service.js';
import { readiness } from '../readiness.js';
import type { ApiContext } from './context.js';

/** `grpc.health.v1.Health` of the server and of all its services: whether it can do what it is for. */
export function healthService(context: ApiContext): Service {
  const handlers = healthHandlers(Object.keys(access), readiness(context));
  return guardedService('grpc.health.v1.Health', context.authoriser, handlers);
}
