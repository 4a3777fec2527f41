import { silentLog } from '../src/telemetry/log.js';
import { dialTls } from '../src/transport/dial-tls.js';
import { typeUrlOf } from '../src/wire/messages.js';
import { wildcardFeed } from '../src/xds/client.js';
import { endingAfter } from '../test/support/children.js';
import { attest, dial } from '../test/support/running-server.js';

// A process of its own that is many agents: each is attested, has a connection and follows its entries, as a whole agent does.

export interface LightAgents {
  readonly address: string;
  /** A join token for each. */
  readonly tokens: readonly string[];
}

process.on('message', (start: LightAgents) => {
  connectAll(start).then(
    () => process.send?.('connected'),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

/** How many attest at a time. */
const atOnce = 8;

async function connectAll({ address, tokens }: LightAgents): Promise<void> {
  const waiting = [...tokens];
  const worker = async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) await connect(address, token);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function connect(address: string, token: string): Promise<void> {
  const svid = await endingAfter((ending) => attest(dial(ending, { address }), token));
  const source = { current: () => svid, onChange: () => () => {} };
  const connection = dialTls({ address, svid: source, verifyServer: () => {} });
  const typeUrl = typeUrlOf('spire.api.types.Entry');
  const feed = wildcardFeed({ connection, typeUrl, read: ({ name }) => name, log: silentLog });
  await new Promise<void>((resolve) => {
    feed.onChange(() => {
      if (feed.isLive()) resolve();
    });
  });
}
