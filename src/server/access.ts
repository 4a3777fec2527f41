/** What a caller can be. `anyone` includes callers without a certificate, and those with a valid one. */
export type Role = 'anyone' | 'local' | 'admin' | 'agent' | 'downstream';

const anyone: readonly Role[] = ['anyone'];
const agent: readonly Role[] = ['agent'];
const downstream: readonly Role[] = ['downstream'];
const operator: readonly Role[] = ['admin', 'local'];
const operatorOrAgent: readonly Role[] = ['admin', 'local', 'agent'];
const local: readonly Role[] = ['local'];

/**
 * Who may call what: every method of SPIRE's server API, whether it is served yet or not. Equals SPIRE's own policy
 * (its pkg/server/authpolicy); and of our own services. A method that is not here cannot be served.
 */
export const access: Readonly<Record<string, Readonly<Record<string, readonly Role[]>>>> = {
  'spire.api.server.agent.v1.Agent': {
    AttestAgent: anyone,
    RenewAgent: agent,
    PostStatus: agent,
    CountAgents: operator,
    ListAgents: operator,
    GetAgent: operator,
    DeleteAgent: operator,
    BanAgent: operator,
    CreateJoinToken: operator,
  },
  'spire.api.server.bundle.v1.Bundle': {
    GetBundle: anyone,
    GetFederatedBundle: operatorOrAgent,
    PublishJWTAuthority: downstream,
    PublishWITAuthority: downstream,
    CountBundles: operator,
    AppendBundle: operator,
    ListFederatedBundles: operator,
    BatchCreateFederatedBundle: operator,
    BatchUpdateFederatedBundle: operator,
    BatchSetFederatedBundle: operator,
    BatchDeleteFederatedBundle: operator,
  },
  'spire.api.server.entry.v1.Entry': {
    GetAuthorizedEntries: agent,
    SyncAuthorizedEntries: agent,
    CountEntries: operator,
    ListEntries: operator,
    GetEntry: operator,
    BatchCreateEntry: operator,
    BatchUpdateEntry: operator,
    BatchDeleteEntry: operator,
  },
  'spire.api.server.svid.v1.SVID': {
    BatchNewX509SVID: agent,
    NewJWTSVID: agent,
    BatchNewWITSVID: agent,
    NewDownstreamX509CA: downstream,
    MintX509SVID: operator,
    MintJWTSVID: operator,
    MintWITSVID: operator,
  },
  'spire.api.server.trustdomain.v1.TrustDomain': {
    ListFederationRelationships: operator,
    GetFederationRelationship: operator,
    BatchCreateFederationRelationship: operator,
    BatchUpdateFederationRelationship: operator,
    BatchDeleteFederationRelationship: operator,
    RefreshBundle: operator,
  },
  'spire.api.server.localauthority.v1.LocalAuthority': {
    GetJWTAuthorityState: operator,
    PrepareJWTAuthority: operator,
    ActivateJWTAuthority: operator,
    TaintJWTAuthority: operator,
    RevokeJWTAuthority: operator,
    GetX509AuthorityState: operator,
    PrepareX509Authority: operator,
    ActivateX509Authority: operator,
    TaintX509Authority: operator,
    TaintX509UpstreamAuthority: operator,
    RevokeX509Authority: operator,
    RevokeX509UpstreamAuthority: operator,
    GetWITAuthorityState: operator,
    PrepareWITAuthority: operator,
    ActivateWITAuthority: operator,
    TaintWITAuthority: operator,
    RevokeWITAuthority: operator,
  },
  'spire.api.server.logger.v1.Logger': { GetLogger: local, SetLogLevel: local, ResetLogLevel: local },
  'spire.api.server.debug.v1.Debug': { GetInfo: local },
  'grpc.health.v1.Health': { Check: local, Watch: local, List: local },
  'plastron.server.v1.Backup': { CreateBackup: local },
};
