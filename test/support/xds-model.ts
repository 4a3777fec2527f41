import { EventEmitter, once } from 'node:events';
import { contentVersion } from '../../src/base/digest.js';
import { decode, encode, encodeAny, typeUrlOf } from '../../src/wire/messages.js';
import type { EncodedResource } from '../../src/wire/resource.js';
import type { Answer, ResourceSource } from '../../src/xds/source.js';

/** The type of the resources that tests send: a text, in which the name stands too (`name=text`). */
export const textTypeUrl = typeUrlOf('google.protobuf.StringValue');

export function textResource(name: string, text: string, aliases: string[] = []): EncodedResource {
  const any = encodeAny('google.protobuf.StringValue', { value: `${name}=${text}` });
  return { name, version: contentVersion(any), any, aliases };
}

/** Name and text of a resource inside a response. */
export function textOf(any: unknown): [name: string, text: string] {
  const { value } = decode('google.protobuf.StringValue', (any as { value: Buffer }).value);
  const [name = '', text = ''] = String(value).split('=');
  return [name, text];
}

/** A source whose answers a test sets. Names that were never set are `absent`. */
export interface TextSource extends ResourceSource<string> {
  set(name: string, text: string | 'unknown' | 'absent'): void;
  /** Before the first sync nothing is known. */
  sync(isSynced: boolean): void;
  /** Tells every view to look again, whether or not anything changed. */
  touch(): void;
  answer(name: string): Answer;
  /** As it was set last. */
  text(name: string): string;
  openViews(): number;
  /** Resolves when the next view is closed. */
  closed(): Promise<void>;
}

/** `saysTouched`: its views say which names were touched. */
export function textSource(typeUrl = textTypeUrl, saysTouched = false): TextSource {
  const answers = new Map<string, Answer>();
  const texts = new Map<string, string>();
  const closing = new EventEmitter();
  const listeners = new Set<(name?: string) => void>();
  let isSynced = true;
  const touch = (name?: string) => {
    for (const listener of listeners) listener(name);
  };
  const answer = (name: string): Answer => (isSynced ? (answers.get(name) ?? 'absent') : 'unknown');
  return {
    typeUrl,
    open(_identity, changed) {
      // A function of its own, so that two views of one listener are two.
      let touched: Set<string> | 'any' = 'any';
      const listener = (name?: string) => {
        if (name === undefined) touched = 'any';
        else if (touched !== 'any') touched.add(name);
        changed();
      };
      listeners.add(listener);
      const takeTouched = () => {
        const now = touched;
        touched = new Set();
        return now;
      };
      return {
        ...(saysTouched && { touched: takeTouched }),
        resource: answer,
        all: () =>
          isSynced ? [...answers.values()].filter((found) => typeof found !== 'string') : 'unknown',
        close() {
          listeners.delete(listener);
          closing.emit('closed');
        },
      };
    },
    set(name, text) {
      texts.set(name, text);
      answers.set(name, text === 'unknown' || text === 'absent' ? text : textResource(name, text));
      touch(name);
    },
    sync(to) {
      isSynced = to;
      touch();
    },
    touch: () => touch(),
    answer,
    text: (name) => texts.get(name) ?? 'absent',
    openViews: () => listeners.size,
    async closed() {
      await once(closing, 'closed');
    },
  };
}

/**
 * A client of the xDS protocol as its text says, without transport: `handle` takes one response and returns the answer to it.
 * It refuses, as a whole, every response with a text that begins with `bad`.
 */
export interface ModelClient {
  /** Texts by name. */
  readonly holds: ReadonlyMap<string, string>;
  readonly wants: { readonly names: ReadonlySet<string>; readonly everything: boolean };
  want(names: readonly string[], everything: boolean): Buffer;
  handle(frame: Buffer): Buffer;
}

export function deltaClient(): ModelClient {
  const holds = new Map<string, string>();
  let wants = { names: new Set<string>(), everything: false };
  const request = (fields: object) =>
    encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', { type_url: textTypeUrl, ...fields });
  return {
    holds,
    get wants() {
      return wants;
    },
    want(names, everything) {
      const next = { names: new Set(names), everything };
      const star = (is: boolean) => (is ? ['*'] : []);
      const subscribe = [
        ...[...next.names].filter((name) => !wants.names.has(name)),
        ...star(everything && !wants.everything),
      ];
      const unsubscribe = [
        ...[...wants.names].filter((name) => !next.names.has(name)),
        ...star(!everything && wants.everything),
      ];
      if (!everything) {
        for (const name of holds.keys()) if (!next.names.has(name)) holds.delete(name);
      }
      wants = next;
      return request({ resource_names_subscribe: subscribe, resource_names_unsubscribe: unsubscribe });
    },
    handle(frame) {
      const response = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
      const { resources = [], removed_resources = [], nonce } = response;
      const texts = resources.map(({ resource }) => textOf(resource));
      if (texts.some(([, text]) => text.startsWith('bad'))) {
        return request({ response_nonce: nonce, error_detail: { code: 3, message: 'a bad text' } });
      }
      for (const [name, text] of texts) if (wants.everything || wants.names.has(name)) holds.set(name, text);
      for (const name of removed_resources) holds.delete(name);
      return request({ response_nonce: nonce });
    },
  };
}

export function sotwClient(): ModelClient {
  const holds = new Map<string, string>();
  let wants = { names: new Set<string>(), everything: false };
  let nonce = '';
  let version = '';
  const request = (fields: object = {}) =>
    encode('envoy.service.discovery.v3.DiscoveryRequest', {
      type_url: textTypeUrl,
      version_info: version,
      response_nonce: nonce,
      resource_names: [...wants.names, ...(wants.everything ? ['*'] : [])],
      ...fields,
    });
  return {
    holds,
    get wants() {
      return wants;
    },
    want(names, everything) {
      wants = { names: new Set(names), everything };
      if (!everything) for (const name of holds.keys()) if (!wants.names.has(name)) holds.delete(name);
      return request();
    },
    handle(frame) {
      const response = decode('envoy.service.discovery.v3.DiscoveryResponse', frame);
      nonce = response.nonce ?? '';
      const texts = (response.resources ?? []).map(textOf);
      if (texts.some(([, text]) => text.startsWith('bad'))) {
        return request({ error_detail: { code: 3, message: 'a bad text' } });
      }
      version = response.version_info ?? '';
      if (wants.everything) holds.clear();
      for (const [name, text] of texts) if (wants.everything || wants.names.has(name)) holds.set(name, text);
      return request();
    },
  };
}
