import { test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { buildGoAgent, goMissing } from './go-agent-program.js';
import { passSteps } from './program-steps.js';
import { workloadPlace } from './workload-place.js';

test('go-spiffe has SVIDs, a rotation and mTLS of our agent', { skip: goMissing() }, async (t) => {
  const plan = await workloadPlace(t);
  await passSteps(t, [buildGoAgent(temporaryFolder(t)), 'workload'], plan);
});
