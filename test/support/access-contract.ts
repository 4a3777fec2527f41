/** What a method of the server's API is for. Written out from SPIRE's contract, and not from our table. */
export type Purpose =
  | 'everybody'
  | 'agents'
  | 'operators'
  | 'operatorsAndAgents'
  | 'downstream'
  | 'localOnly';

const forAgents =
  /^(RenewAgent|PostStatus|GetAuthorizedEntries|SyncAuthorizedEntries|BatchNewX509SVID|NewJWTSVID|BatchNewWITSVID)$/;
const forDownstream = /^(NewDownstreamX509CA|PublishJWTAuthority|PublishWITAuthority)$/;

export function purposeOf(service: string, method: string): Purpose {
  if (/Logger$|Debug$|Health$|Backup$/.test(service)) return 'localOnly';
  if (/^(AttestAgent|GetBundle)$/.test(method)) return 'everybody';
  if (method === 'GetFederatedBundle') return 'operatorsAndAgents';
  if (forDownstream.test(method)) return 'downstream';
  return forAgents.test(method) ? 'agents' : 'operators';
}

/** Methods of SPIRE's API that a later issue serves: whoever may call them is told so. */
export function isOfLaterIssue(service: string, method: string): boolean {
  return /TrustDomain$|LocalAuthority$/.test(service) || /WIT/.test(method) || forDownstream.test(method);
}
