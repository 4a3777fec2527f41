import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Crew, openCrew } from './processes.js';
import { openRunFolder, type RunFolder, socketBase } from './run-folder.js';
import { serviceUsers } from './service-users.js';
import { prepareService, type Service, serviceNames } from './services.js';

/** Where one run of the demo takes place. */
export interface Stage {
  /** Sockets, logs, the policy: everything but the programs. */
  readonly folder: string;
  readonly services: readonly Service[];
  readonly crew: Crew;
  /** Aborted by whoever runs the demo, or with a fault (DEM0202, DEM0203) when a process is lost. */
  readonly signal: AbortSignal;
  /** Ends the processes; then removes everything, unless the logs are still needed. */
  close(keepLogs: boolean): Promise<void>;
}

/**
 * As root every service is a user of its own, which is what keeps them apart; else they are told apart by the path of their
 * Envoy, and `openStage` gives each one a path: in the user's cache, where Envoy itself lies and a link costs nothing.
 */
export function openStage(envoy: string, env: NodeJS.ProcessEnv, stop: AbortSignal): Stage {
  const users = serviceUsers(serviceNames.length);
  const mode = users ? 0o711 : 0o700;
  const folders = [openRunFolder(socketBase(env, users !== undefined), mode)];
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plastron', 'demo');
  if (!users) folders.push(openRunFolder(cache, mode));
  const [folder = '', programs = folder] = folders.map(({ path }) => path);
  const loss = new AbortController();
  const crew = openCrew({
    started: (pid) => noteEverywhere(folders, pid),
    lost: (error) => loss.abort(error),
  });
  const prepare = (name: Service['name'], index: number) =>
    prepareService(name, { folder, programs, envoy, user: users?.[index] });
  return {
    folder,
    services: serviceNames.map(prepare),
    crew,
    signal: AbortSignal.any([stop, loss.signal]),
    close: async (keepLogs) => {
      await crew.stop();
      for (const each of folders) if (!keepLogs || each.path !== folder) each.remove();
    },
  };
}

function noteEverywhere(folders: readonly RunFolder[], pid: number): void {
  for (const folder of folders) folder.note(pid);
}
