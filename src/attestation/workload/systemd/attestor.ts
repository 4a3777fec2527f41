import { readFileSync } from 'node:fs';
import { fault } from '../../../base/faults/fault.js';
import { type CallOverBus, withMessageBus } from '../../../transport/dbus.js';
import { nothingToSay, type WorkloadAttestor } from '../attestor.js';

export interface SystemdAttestorOptions {
  /** The socket of the system's message bus. Default `/run/dbus/system_bus_socket`. */
  bus?: string;
  /** Where processes are looked at; another folder in tests. Default `/proc`. */
  proc?: string;
}

const timeoutMs = 5_000;
const systemd = 'org.freedesktop.systemd1';
const noUnit = `${systemd}.NoUnitForPID`;

/**
 * SPIRE's `systemd` workload attestor, with its selectors: `systemd:id:<unit>` and `systemd:fragment_path:<file>`. systemd
 * itself is asked, over the message bus, since only it knows which file it read a unit from; a unit without one (a scope) has
 * no `fragment_path`. A process of no unit gets nothing. Throws ATT0103, ATT0111 and TRN0402.
 */
export function systemdAttestor(options: SystemdAttestorOptions = {}): WorkloadAttestor {
  const { bus = '/run/dbus/system_bus_socket', proc = '/proc' } = options;
  return {
    type: 'systemd',
    async attest({ pid }) {
      const groups = controlGroups(proc, pid);
      if (groups === undefined) throw fault('ATT0103', { pid });
      // A process changes its unit by changing its control group.
      const stillHold = () => controlGroups(proc, pid) === groups;
      const unit = await withMessageBus(bus, timeoutMs, (call) => unitOf(pid, call));
      if (!unit) return nothingToSay(stillHold);
      const values = [`id:${unit.id}`, ...(unit.file === '' ? [] : [`fragment_path:${unit.file}`])];
      return { selectors: values.map((value) => ({ type: 'systemd', value })), stillHold };
    },
  };
}

async function unitOf(pid: number, call: CallOverBus): Promise<{ id: string; file: string } | undefined> {
  const manager = { path: '/org/freedesktop/systemd1', interface: `${systemd}.Manager` };
  const unit = await call({ destination: systemd, ...manager, member: 'GetUnitByPID', arguments: [pid] });
  if ('error' in unit && unit.error === noUnit) return undefined;
  const path = textOf(unit);
  const property = async (name: string) =>
    textOf(
      await call({
        ...{ destination: systemd, path, interface: 'org.freedesktop.DBus.Properties', member: 'Get' },
        arguments: [`${systemd}.Unit`, name],
      }),
    );
  return { id: await property('Id'), file: await property('FragmentPath') };
}

function textOf(answer: Awaited<ReturnType<CallOverBus>>): string {
  if ('text' in answer) return answer.text;
  throw fault('ATT0111', { error: answer.error });
}

function controlGroups(proc: string, pid: number): string | undefined {
  try {
    return readFileSync(`${proc}/${pid}/cgroup`, 'utf8');
  } catch {
    return undefined;
  }
}
