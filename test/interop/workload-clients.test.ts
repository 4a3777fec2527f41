import { test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { type Client, pythonClient } from './client-programs.js';
import { buildGoAgent, goMissing } from './go-agent-program.js';
import { passSteps } from './program-steps.js';
import { workloadPlace } from './workload-place.js';

// The peer of every client is the one in Go.
const clients: Record<string, Client> = {
  'go-spiffe': {
    missing: goMissing(),
    build: (folder) => ({ program: [buildGoAgent(folder), 'workload'] }),
  },
  'py-spiffe': pythonClient(),
};

for (const [name, client] of Object.entries(clients)) {
  test(`${name} has SVIDs, a rotation and mTLS of our agent`, {
    skip: client.missing || goMissing(),
  }, async (t) => {
    const { program, env } = client.build(temporaryFolder(t));
    await passSteps(t, program, await workloadPlace(t), env);
  });
}
