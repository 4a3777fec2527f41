import { fault } from '../../base/faults/fault.js';
import { readCsr } from '../../ca/csr.js';
import { checkDnsName, checkEntryId } from '../../registration/entry-rules.js';
import type { MessageOut } from '../../wire/names.js';
import type { Caller } from '../authorise.js';
import { type ApiContext, actorOf } from './context.js';
import { warnOfAudiences } from './jwt-svid.js';
import { idText, jwtSvidMessage, svidMessage } from './messages.js';
import { required } from './required.js';

type Messages = { [Kind in 'X509' | 'JWT']: MessageOut<`spire.api.server.svid.v1.Mint${Kind}SVIDRequest`> };

/**
 * `MintX509SVID`: an SVID that no entry is behind, for an operator. Here, and only here, the CSR says for which SPIFFE ID and
 * which DNS names it is; both have to be such as an entry could give (S3).
 */
export function mintX509Svid({ authorities, log, trustDomain, x509SvidTtl }: ApiContext) {
  return async ({ csr, ttl }: Messages['X509'], caller: Caller) => {
    const { publicKey, uriSans, dnsSans } = await readCsr(required(csr, 'csr'));
    const [uri, ...others] = uriSans;
    if (uri === undefined || others.length > 0) throw fault('CAS0205', { count: uriSans.length });
    const svid = await authorities.issue({
      id: checkEntryId(uri, trustDomain),
      publicKey,
      dnsNames: dnsSans.map(checkDnsName),
      ttlSeconds: ttl || x509SvidTtl,
    });
    const { id, serial } = svid;
    log.info({ id, serial, dnsNames: dnsSans.length, by: actorOf(caller) }, 'an SVID was minted');
    return { svid: svidMessage(svid) };
  };
}

/** `MintJWTSVID`: a JWT-SVID that no entry is behind, for an operator; for a SPIFFE ID that an entry could give (S3). */
export function mintJwtSvid(context: ApiContext) {
  const { authorities, log, trustDomain, jwtSvidTtl } = context;
  return async ({ id: asked, audience = [], ttl }: Messages['JWT'], caller: Caller) => {
    const id = checkEntryId(idText(asked, 'id'), trustDomain);
    const svid = await authorities.issueJwt({
      id,
      audience,
      ttlSeconds: ttl || jwtSvidTtl,
      tokenId: false,
    });
    log.info({ id, by: actorOf(caller) }, 'a JWT-SVID was minted');
    warnOfAudiences(context, svid, audience);
    return { svid: jwtSvidMessage(svid) };
  };
}
