import { fault } from '../../../base/faults/fault.js';
import type { Json } from '../../../base/json.js';
import { jsonAt, listAt, textAt, textsAt } from '../../../base/json-path.js';
import { localJson } from '../../../transport/local-json.js';

/** What the engine knows of a container that runs. */
export interface DockerContainer {
  /** Its first process, as the host numbers processes. */
  readonly pid: number;
  readonly labels: readonly [name: string, value: string][];
  /** `NAME=value`. */
  readonly environment: readonly string[];
  /** The image as it was named when the container was made. */
  readonly imageName: string;
  /** The content-addressed ID of the image that it was made from: `sha256:…`. */
  readonly imageId: string;
}

const timeoutMs = 5_000;
const maxBytes = 4 * 1024 * 1024;

/**
 * Asks a Docker Engine (or Podman) about a container, by its API over a unix socket, in the version that the engine says.
 * `undefined` while there is no such container, or it does not run. Throws TRN0401 when the engine does not answer, ATT0107
 * when it answers something else.
 */
export async function inspectContainer(socket: string, id: string): Promise<DockerContainer | undefined> {
  const get = (path: string) => localJson({ at: { socket }, path, timeoutMs, maxBytes });
  const version = versionOf(socket, textAt((await get('/version')).body, 'ApiVersion'));
  const { status, body } = await get(`/v${version}/containers/${id}/json`);
  if (status === 404) return undefined;
  const problem = status === 200 ? problemWith(body, id) : `it was asked for a container and said ${status}`;
  if (problem !== undefined) throw fault('ATT0107', { socket, problem });
  return containerFrom(body);
}

function versionOf(socket: string, version: string): string {
  if (/^1\.\d{1,3}$/.test(version)) return version;
  throw fault('ATT0107', { socket, problem: 'it does not say which version of the API it has' });
}

/** The engine looks containers up by name too. */
function problemWith(body: Json, id: string): string | undefined {
  if (textAt(body, 'Id') !== id) return 'it answered with another container';
  return jsonAt(body, 'Config') instanceof Map ? undefined : 'its answer has no Config';
}

function containerFrom(body: Json): DockerContainer | undefined {
  const pid = Number(jsonAt(body, 'State', 'Pid') ?? 0);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return {
    pid,
    labels: textsAt(body, 'Config', 'Labels'),
    environment: listAt(body, 'Config', 'Env').filter((each) => typeof each === 'string'),
    imageName: textAt(body, 'Config', 'Image'),
    imageId: textAt(body, 'Image'),
  };
}
