import type { Clock } from '../base/clock.js';
import { pathOf, trustDomainOf } from '../spiffe/id.js';
import { type Service, service } from '../transport/service.js';
import type { Agent } from './agent.js';

/**
 * What the agent tells its operator, on the admin socket: gRPC's health protocol (the agent as a whole, service name ''),
 * its own status, and SPIRE's debug service of agents.
 */
export function adminApi(agent: Pick<Agent, 'status'>, clock: Clock): Service[] {
  const started = clock.now();
  return [
    service('grpc.health.v1.Health', {
      Check: {
        unary: async ({ service: name = '' }) => {
          if (name !== '') return { status: 'SERVICE_UNKNOWN' };
          return { status: agent.status().serving ? 'SERVING' : 'NOT_SERVING' };
        },
      },
    }),
    service('plastron.agent.v1.Status', {
      GetStatus: {
        unary: async () => {
          const status = agent.status();
          return {
            serving: status.serving,
            id: status.id ?? '',
            now: seconds(clock.now()),
            svid_expires_at: seconds(status.svidNotAfter ?? 0),
            autonomous_until: seconds(status.autonomousUntil ?? 0),
            last_sync: seconds(status.lastSync ?? 0),
            svids: status.svids,
            svids_past_rotation: status.svidsPastRotation,
            pushed: status.pushed,
            trouble: status.trouble ?? '',
            servers: status.servers.map(({ address, trouble = '' }) => ({ address, trouble })),
          };
        },
      },
    }),
    service('spire.agent.debug.v1.Debug', {
      GetInfo: {
        unary: async () => {
          const { id, svidNotAfter = 0, lastSync = 0, svids } = agent.status();
          return {
            svid_chain: id ? [{ id: idMessage(id), expires_at: seconds(svidNotAfter) }] : [],
            uptime: seconds(clock.now() - started),
            last_sync_success: seconds(lastSync),
            cached_x509_svids_count: svids,
          };
        },
      },
    }),
  ];
}

function idMessage(id: NonNullable<ReturnType<Agent['status']>['id']>) {
  return { trust_domain: trustDomainOf(id), path: pathOf(id) };
}

const seconds = (ms: number): number => Math.floor(ms / 1000);
