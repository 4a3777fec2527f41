import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
const quoted = [...page.matchAll(/`([a-z0-9/-]+(?:\.ts|\/))`/g)].map(([, path]) => path ?? '');

test('every file and folder that ARCHITECTURE.md names is there', () => {
  assert.ok(quoted.length > 30, 'the page names files');
  const missing = quoted.filter(
    (path) => ![`src/${path}`, path].some((place) => existsSync(`${root}${place}`)),
  );
  assert.deepEqual(missing, []);
});

test('every room of src/ is in ARCHITECTURE.md', () => {
  const rooms = readdirSync(`${root}src`).map((room) => `${room}/`);
  assert.deepEqual(
    rooms.filter((room) => !quoted.includes(room)),
    [],
  );
});
