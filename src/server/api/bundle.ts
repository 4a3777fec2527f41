import { fault } from '../../base/faults/fault.js';
import type { Bundle } from '../../spiffe/bundle.js';
import type { Service } from '../../transport/service.js';
import type { MessageOut } from '../../wire/names.js';
import type { Caller } from '../authorise.js';
import { guardedService } from '../guarded-service.js';
import type { BundleDeletion, BundleOutcome, BundleWrite, DeleteMode } from '../ports.js';
import { runBatch } from './batch.js';
import {
  bundleContent,
  foreignTrustDomain,
  jwtAuthoritiesIn,
  witProblem,
  x509AuthoritiesIn,
} from './bundle-input.js';
import { type ApiContext, actorOf } from './context.js';
import { bundleMessage, okStatus } from './messages.js';
import { checkBatch, pageOf } from './paging.js';

type Messages = {
  [Name in
    | 'BatchCreateFederatedBundle'
    | 'BatchUpdateFederatedBundle'
    | 'BatchSetFederatedBundle'
    | 'BatchDeleteFederatedBundle']: MessageOut<`spire.api.server.bundle.v1.${Name}Request`>;
};

/** `spire.api.server.bundle.v1.Bundle`: the trust bundles of the server's own trust domain and of those that it knows. */
export function bundleService(context: ApiContext): Service {
  const { authoriser, authorities, federatedBundles, trustDomain, log } = context;
  return guardedService('spire.api.server.bundle.v1.Bundle', authoriser, {
    GetBundle: { unary: async ({ output_mask }) => bundleMessage(authorities.own(), output_mask) },
    GetFederatedBundle: {
      unary: async ({ trust_domain = '', output_mask }) => {
        const asked = foreignTrustDomain(trust_domain, trustDomain);
        const bundle = federatedBundles.bundle(asked);
        if (!bundle) throw fault('SRV0603', { trustDomain: asked });
        return bundleMessage(bundle, output_mask);
      },
    },
    // As in SPIRE, the server's own is one of them.
    CountBundles: { unary: async () => ({ count: 1 + [...federatedBundles.all()].length }) },
    ListFederatedBundles: {
      unary: async (request) => {
        const source = {
          after: federatedBundles.after,
          keyOf: (bundle: Bundle) => bundle.trustDomain,
        };
        const { items, next_page_token } = pageOf(source, request);
        return { bundles: items.map((one) => bundleMessage(one, request.output_mask)), next_page_token };
      },
    },
    AppendBundle: {
      unary: async (request, caller) => {
        const added = {
          x509Authorities: x509AuthoritiesIn(checkBatch(request.x509_authorities)),
          jwtAuthorities: jwtAuthoritiesIn(checkBatch(request.jwt_authorities)),
        };
        if (request.wit_authorities?.length) throw fault('SRV0602', { problem: witProblem });
        const [x509, jwt] = [added.x509Authorities.length, added.jwtAuthorities.length];
        if (x509 + jwt === 0) throw fault('SRV0602', { problem: 'it has no authorities' });
        await authorities.append(added);
        log.warn({ x509, jwt, by: actorOf(caller) }, 'authorities were added to the trust bundle');
        return bundleMessage(authorities.own(), request.output_mask);
      },
    },
    ...writeMethods(context),
  });
}

function writeMethods(context: ApiContext) {
  const write = async (
    how: BundleWrite['how'],
    { bundle, input_mask, output_mask }: Messages['BatchUpdateFederatedBundle'],
    caller: Caller,
  ) => {
    const { federatedBundles, trustDomain, log } = context;
    const results = await runBatch(checkBatch(bundle), log, {
      prepare: (message): BundleWrite => ({
        how,
        trustDomain: foreignTrustDomain(message.trust_domain ?? '', trustDomain),
        change: bundleContent(message, input_mask),
      }),
      write: (writes) => federatedBundles.writeFederatedBundles(writes),
      answer: (outcome, { trustDomain: of }) => {
        const written = writtenBundle(outcome, of);
        log.info({ trustDomain: of, how, by: actorOf(caller) }, 'a federated bundle was written');
        return { status: okStatus, bundle: bundleMessage(written, output_mask) };
      },
    });
    return { results };
  };
  return {
    BatchCreateFederatedBundle: {
      unary: (request: Messages['BatchCreateFederatedBundle'], caller: Caller) =>
        write('create', request, caller),
    },
    BatchUpdateFederatedBundle: {
      unary: (request: Messages['BatchUpdateFederatedBundle'], caller: Caller) =>
        write('update', request, caller),
    },
    BatchSetFederatedBundle: {
      unary: (request: Messages['BatchSetFederatedBundle'], caller: Caller) => write('set', request, caller),
    },
    BatchDeleteFederatedBundle: {
      unary: (request: Messages['BatchDeleteFederatedBundle'], caller: Caller) =>
        deleteBundles(context, request, caller),
    },
  };
}

const deleteModes: ReadonlyMap<string | number, DeleteMode> = new Map([
  ['RESTRICT', 'restrict'],
  ['DELETE', 'delete'],
  ['DISSOCIATE', 'dissociate'],
]);

async function deleteBundles(
  { federatedBundles, trustDomain, log }: ApiContext,
  { trust_domains, mode: asked = 'RESTRICT' }: Messages['BatchDeleteFederatedBundle'],
  caller: Caller,
) {
  const mode = deleteModes.get(asked);
  if (!mode) throw fault('SRV0606', { mode: asked });
  const names = checkBatch(trust_domains);
  const results = await runBatch(names, log, {
    prepare: (name) => foreignTrustDomain(name, trustDomain),
    write: (wanted) => federatedBundles.deleteFederatedBundles(wanted, mode),
    answer: (deletion, of) => {
      checkDeleted(deletion, of);
      log.warn({ trustDomain: of, mode, by: actorOf(caller) }, 'a federated bundle was deleted');
      return { status: okStatus };
    },
  });
  return { results: results.map((result, index) => ({ ...result, trust_domain: names[index] ?? '' })) };
}

/** Throws SRV0603, SRV0604. */
function writtenBundle(outcome: BundleOutcome | undefined, trustDomain: string): Bundle {
  if (outcome?.kind === 'written') return outcome.bundle;
  throw fault(outcome?.kind === 'present' ? 'SRV0604' : 'SRV0603', { trustDomain });
}

/** Throws SRV0603, SRV0605. */
function checkDeleted(deletion: BundleDeletion | undefined, trustDomain: string): void {
  if (deletion?.kind === 'in use') throw fault('SRV0605', { trustDomain, count: deletion.entries });
  if (deletion?.kind !== 'deleted') throw fault('SRV0603', { trustDomain });
}
