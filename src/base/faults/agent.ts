import type { FaultRow } from './row.js';

export const agentFaults = {
  AGT0101: {
    sentence: 'other users have access to `{path}`, where the agent keeps its own identity',
    hint: 'make it private to the user of the agent: chmod go-w for the folder, chmod 600 for the file',
    status: 'FAILED_PRECONDITION',
  },
  AGT0102: {
    sentence: 'the agent state in `{path}` cannot be read: {problem}',
    hint: 'remove the file, make a token with `plastron node token`, and start the agent with --join-token-file',
    status: 'FAILED_PRECONDITION',
  },
  AGT0103: {
    sentence: 'the agent state in `{path}` belongs to the trust domain `{found}`, not to `{trustDomain}`',
    hint: 'give every agent a --data-dir of its own, or correct --trust-domain',
    status: 'FAILED_PRECONDITION',
  },
  AGT0104: {
    sentence: 'the SVIDs that the agent kept in `{path}` are not used: {problem}',
    hint: 'nothing need be done: the agent goes on without them and writes the file anew after its next sync',
    status: 'FAILED_PRECONDITION',
  },
  AGT0201: {
    sentence:
      'whoever answers at `{address}` is not the server of the trust domain `{trustDomain}`: {reason}',
    hint: 'check --server; if the server was set up anew, remove the data directory of the agent and give it the new bundle',
    status: 'UNAUTHENTICATED',
  },
  AGT0202: {
    sentence: 'the trust bundle from `{address}` has the SHA-256 {found}, not {expected}',
    hint: 'compare with `plastron bundle show | sha256sum` on the server itself',
    status: 'UNAUTHENTICATED',
  },
  AGT0203: {
    sentence: 'the server sent a trust bundle that is empty or not that of the trust domain `{trustDomain}`',
    hint: 'look at the authorities of the server; the agent goes on with the last good bundle',
    status: 'FAILED_PRECONDITION',
  },
  AGT0301: {
    sentence: 'the server signed an SVID for `{id}` that is not usable: {problem}',
    hint: 'nothing was handed out; look for a second server or a proxy between agent and server',
    status: 'FAILED_PRECONDITION',
  },
  AGT0302: {
    sentence: 'no JWT-SVID of `{id}` can be had from the server now: {problem}',
    hint: 'try again; until the server answers, only audiences that were asked for before are served, and only while their tokens live',
    status: 'UNAVAILABLE',
  },
  AGT0303: {
    sentence: 'the server gives no JWT-SVID of `{id}` for these audiences: {reason}',
    hint: 'ask for fewer or shorter audiences',
    status: 'INVALID_ARGUMENT',
  },
  AGT0401: {
    sentence: 'this node is not attested, and the agent has nothing to attest it with',
    hint: 'make a token with `plastron node token` and give it by --join-token-file or PLASTRON_JOIN_TOKEN, or give --x509pop-cert or --k8s-psat-cluster',
    status: 'UNAUTHENTICATED',
  },
  AGT0402: {
    sentence: 'the server did not attest this node: {reason}',
    hint: 'mend what the server names; with join tokens make a new one with `plastron node token`: each is good once and for a while',
    status: 'PERMISSION_DENIED',
  },
  AGT0403: {
    sentence: 'the server does not take the agent `{id}` any more: {reason}',
    hint: 'a node with a certificate or a Kubernetes token attests again by itself; otherwise make a token with `plastron node token` and write it to the file of --join-token-file: it is read at every try',
    status: 'PERMISSION_DENIED',
  },
  AGT0404: {
    sentence: 'the server has banned this agent, so it hands out nothing any more',
    hint: 'find out why; `plastron node evict` on the server lifts the ban, after which the node can attest again, with join tokens by a new one',
    status: 'PERMISSION_DENIED',
  },
  AGT0405: {
    sentence: 'the SVID of the agent `{id}` ends at {at}, and there is nothing to attest the node with again',
    hint: 'a join token attests once: make a new one with `plastron node token` and write it to the file of --join-token-file, which is read at every try',
    status: 'UNAUTHENTICATED',
  },
  AGT0406: {
    sentence: 'the join token in `{path}` cannot be read: {reason}',
    hint: 'make it a file that the user of the agent can read, with nothing in it but the token',
    status: 'FAILED_PRECONDITION',
  },
  AGT0407: {
    sentence: 'the agent was given several ways to attest this node: {ways}',
    hint: 'give it one: a join token, or --x509pop-cert and --x509pop-key, or --k8s-psat-cluster',
    status: 'INVALID_ARGUMENT',
  },
  AGT0501: {
    sentence: 'the answer of the server does not follow the protocol for entries: {problem}',
    hint: 'check that server and agent are of compatible versions',
    status: 'INTERNAL',
  },
  AGT0502: {
    sentence: 'the entry `{id}` has no ID or no selector',
    hint: 'check that server and agent are of compatible versions',
    status: 'INTERNAL',
  },
  AGT0601: {
    sentence: 'the policy `{name}` from the server is refused: {problem}',
    hint: 'check that server and agent are of compatible versions',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`AGT${number}`, FaultRow>;
