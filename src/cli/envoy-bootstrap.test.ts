import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transcript } from '../../test/support/transcript.js';

test('a bootstrap is printed with its variables filled in, or refused', async (t) => {
  const files = { 'envoy.yaml': "# a template\nadmin: { path: '{{SOCKET}}' }\nport: '{{PORT}}'\n" };
  const shown = await transcript(t, files, [
    "envoy bootstrap envoy.yaml --set PORT=0 --set 'SOCKET=/run/a=b.sock'",
    'envoy bootstrap envoy.yaml --set PORT=0',
    'envoy bootstrap envoy.yaml --set PORT=0 --set PORT=1',
    'envoy bootstrap envoy.yaml --set PORT',
    'envoy bootstrap none.yaml',
  ]);
  assert.equal(
    shown,
    `$ plastron envoy bootstrap envoy.yaml --set PORT=0 --set 'SOCKET=/run/a=b.sock'
# a template
admin: { path: '/run/a=b.sock' }
port: '0'
exit 0

$ plastron envoy bootstrap envoy.yaml --set PORT=0
err| error[ENV0501]: the bootstrap needs a value for \`SOCKET\` (envoy.yaml:2:16)
err|   = help: give one with --set SOCKET=VALUE
err|   = more: run \`plastron explain ENV0501\`
exit 2

$ plastron envoy bootstrap envoy.yaml --set PORT=0 --set PORT=1
err| error: option '--set <name=value>' argument 'PORT=1' is invalid. PORT has a value already.
err|   = help: add --help for options and examples
exit 2

$ plastron envoy bootstrap envoy.yaml --set PORT
err| error: option '--set <name=value>' argument 'PORT' is invalid. Write NAME=VALUE.
err|   = help: add --help for options and examples
exit 2

$ plastron envoy bootstrap none.yaml
err| error[CLI0201]: the file \`none.yaml\` cannot be read: there is no such file
err|   = help: check the name and who may read it; a relative name starts at the working directory
err|   = more: run \`plastron explain CLI0201\`
exit 2
`,
  );
});
