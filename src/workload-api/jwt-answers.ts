import { fault } from '../base/faults/fault.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Bundle } from '../spiffe/bundle.js';
import { jwtKeysToJwks } from '../spiffe/bundle-jwks.js';
import { parseWorkloadId, type SpiffeId, trustDomainId, trustDomainOf } from '../spiffe/id.js';
import type { JwtSvidClaims } from '../spiffe/jwt-svid.js';
import { verifyJwtSvid } from '../spiffe/verify-jwt-svid.js';
import { encode } from '../wire/messages.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import { structOf } from './claims.js';
import type { StateAnswer } from './state-stream.js';
import {
  bundlesIn,
  identitiesIn,
  requireIdentity,
  type WorkloadIdentity,
  type WorkloadView,
} from './view.js';

/** The port that the agent fills. */
export interface JwtSvids {
  /**
   * A token of the identity of this entry, good for all of these audiences. Throws a Fault when there is none to be had now, or
   * the server refuses these audiences.
   */
  token(entryId: string, audience: readonly string[]): Promise<string>;
}

/** What a call of a workload stands on: `view` gives what it may have at that moment. */
export interface Caller {
  readonly workload: AttestedWorkload;
  /** Throws when the workload is gone, and when nothing is known. */
  view(): WorkloadView;
}

/**
 * `FetchJWTSVID`: a token for all the audiences, of every identity of the caller or of the one that it asks for (Workload API
 * §6.2.1). Throws WLA0201, WLA0202, WLA0301, and what `token` throws.
 */
export async function fetchJwtSvids(
  { audience = [], spiffe_id = '' }: MessageOut<'JWTSVIDRequest'>,
  caller: () => Promise<Caller>,
  jwtSvids: JwtSvids,
): Promise<MessageIn<'JWTSVIDResponse'>> {
  if (audience.length === 0 || audience.includes('')) throw fault('WLA0301', { field: 'audience' });
  const wanted = spiffe_id === '' ? undefined : parseWorkloadId(spiffe_id);
  const { workload, view } = await caller();
  const svids = await Promise.all(
    entitled(view(), workload, wanted).map(async ({ entryId, id, hint }) => {
      return { entryId, svid: { spiffe_id: id, svid: await jwtSvids.token(entryId, audience), hint } };
    }),
  );
  // The server may have taken its time.
  const still = new Set(entitled(view(), workload, wanted).map(({ entryId }) => entryId));
  const answer = svids.filter(({ entryId }) => still.has(entryId)).map(({ svid }) => svid);
  if (answer.length === 0) throw fault('WLA0203', {});
  return { svids: answer };
}

function entitled(view: WorkloadView, workload: AttestedWorkload, wanted?: SpiffeId): WorkloadIdentity[] {
  requireIdentity(view, workload);
  const identities = identitiesIn(view).filter(({ id }) => wanted === undefined || id === wanted);
  if (identities.length === 0) throw fault('WLA0202', { id: wanted ?? '', pid: workload.pid });
  return identities;
}

/** `JWTBundlesResponse`: the keys alone, as plain JWK sets, the own trust domain's among them (Workload API §6.2.2). */
export const jwtBundles: StateAnswer = {
  parts(view, workload) {
    requireIdentity(view, workload);
    return bundlesIn(view);
  },
  encode: (view) =>
    encode('JWTBundlesResponse', {
      bundles: Object.fromEntries(
        bundlesIn(view).map((bundle) => [
          trustDomainId(bundle.trustDomain),
          Buffer.from(jwtKeysToJwks(bundle)),
        ]),
      ),
    }),
};

/**
 * `ValidateJWTSVID`: whether a token is good for `audience`, by the keys of its subject's own trust domain and no other
 * (Workload API §6.2.3). Bundles are no secret, so a caller needs no identity; without one only tokens of the own trust domain
 * are good. Throws WLA0301 and what `verifyJwtSvid` throws.
 */
export async function validateJwtSvid(
  { audience = '', svid = '' }: MessageOut<'ValidateJWTSVIDRequest'>,
  caller: () => Promise<Caller>,
  now: () => number,
): Promise<MessageIn<'ValidateJWTSVIDResponse'>> {
  if (audience === '') throw fault('WLA0301', { field: 'audience' });
  if (svid === '') throw fault('WLA0301', { field: 'token' });
  const view = (await caller()).view();
  const bundles: readonly Bundle[] = bundlesIn(view);
  const bundle = (asked: string) => bundles.find(({ trustDomain }) => trustDomain === asked);
  const claims = verifyJwtSvid(svid, audience, { bundle }, now());
  return { spiffe_id: claims.id, claims: structOf(shownClaims(claims, view)) };
}

/**
 * Of a foreign token only what SPIFFE gives a meaning: nobody here knows what its other claims are worth (S32). `aud` is a list
 * however it was written, as from SPIRE.
 */
function shownClaims({ all, id, audience }: JwtSvidClaims, { bundle }: WorkloadView) {
  const isOwn = trustDomainOf(id) === bundle.trustDomain;
  const shown = [...all].filter(([name]) => isOwn || ['sub', 'aud', 'exp'].includes(name));
  return new Map([...shown, ['aud', audience] as const]);
}
