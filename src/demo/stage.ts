import { copyFileSync, linkSync } from 'node:fs';
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
 * Envoy, and `openStage` gives each one a path.
 */
export function openStage(envoy: string, env: NodeJS.ProcessEnv, stop: AbortSignal): Stage {
  const users = serviceUsers(serviceNames.length);
  const sockets = openRunFolder(socketBase(env, users !== undefined), users ? 0o711 : 0o700);
  const programs = users ? sockets : programFolder(env, sockets);
  const folders = [...new Set([sockets, programs])];
  const loss = new AbortController();
  const crew = openCrew({
    started: (pid) => {
      for (const folder of folders) folder.note(pid);
    },
    lost: (error) => loss.abort(error),
  });
  const own = ownCopy(envoy, programs.path);
  const at = { folder: sockets.path, programs: programs.path, envoy: own };
  return {
    folder: sockets.path,
    services: serviceNames.map((name, index) => prepareService(name, { ...at, user: users?.[index] })),
    crew,
    signal: AbortSignal.any([stop, loss.signal]),
    close: async (keepLogs) => {
      await crew.stop();
      for (const folder of folders) if (folder !== sockets || !keepLogs) folder.remove();
    },
  };
}

/** In the user's cache, where an Envoy that was fetched lies, so that links to it cost nothing; temporary folders may be memory. */
function programFolder(env: NodeJS.ProcessEnv, otherwise: RunFolder): RunFolder {
  try {
    return openRunFolder(join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plastron', 'demo'), 0o700);
  } catch {
    return otherwise;
  }
}

/** A hard link costs nothing, but is refused for somebody else's file and across file systems. */
function ownCopy(program: string, folder: string): string {
  const copy = join(folder, 'envoy');
  try {
    linkSync(program, copy);
  } catch {
    copyFileSync(program, copy);
  }
  return copy;
}
