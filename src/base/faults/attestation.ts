import type { FaultRow } from './row.js';

export const attestationFaults = {
  ATT0101: {
    sentence: 'the caller at `{address}` is no process of this node, so nothing can be found out about it',
    hint: 'connect to the unix socket of the agent on the same node',
    status: 'PERMISSION_DENIED',
  },
  ATT0102: {
    sentence: 'the process {pid} ended, or changed its user or its program, while it was attested',
    hint: 'connect again; a program that opens the socket must stay that program',
    status: 'UNAVAILABLE',
  },
  ATT0103: {
    sentence: 'the process {pid} cannot be looked at',
    hint: 'let the agent see all of /proc (no hidepid), as root or as the user of the workloads',
    status: 'UNAVAILABLE',
  },
  ATT0104: {
    sentence: 'the process {pid} runs under another user or group now than when it connected',
    hint: 'connect after changing user, not before',
    status: 'PERMISSION_DENIED',
  },
  ATT0105: {
    sentence: 'the `{attestor}` attestor could not find out about the process {pid}',
    hint: 'try again; the log of the agent says what was wrong',
    status: 'UNAVAILABLE',
  },
  ATT0106: {
    sentence: 'the control groups of the process {pid} do not say which container it is in: {problem}',
    hint: 'let only the container runtime make the control groups of containers',
    status: 'UNAVAILABLE',
  },
  ATT0107: {
    sentence: 'the Docker Engine at `{socket}` gave no usable answer: {problem}',
    hint: 'check --docker-socket, and that containers of this node are its containers',
    status: 'UNAVAILABLE',
  },
  ATT0108: {
    sentence: 'the process {pid} is in a control group with the name of a container that is not its own',
    hint: 'run workloads in containers that the Docker Engine started',
    status: 'UNAVAILABLE',
  },
  ATT0109: {
    sentence: 'the kubelet gave no usable answer: {problem}',
    hint: 'check --kubelet, --kubelet-ca-file and --kubelet-token-file, and that the account of the token may get nodes/proxy',
    status: 'UNAVAILABLE',
  },
  ATT0110: {
    sentence: 'the kubelet does not know the container of the process {pid}, in the pod `{pod}`',
    hint: 'try again; where the kubelet learns of containers late (postStart hooks), use --no-k8s-containers',
    status: 'UNAVAILABLE',
  },
  ATT0111: {
    sentence: 'systemd did not say which unit a process belongs to: {error}',
    hint: 'run the agent on a node that systemd runs, where it may use the message bus of the system',
    status: 'UNAVAILABLE',
  },
  ATT0201: {
    sentence: 'the join token is not accepted: it was used, it has expired, or this server never made it',
    hint: 'make a new one on the server with `plastron node token` and give it to one agent only',
    status: 'INVALID_ARGUMENT',
  },
  ATT0202: {
    sentence: 'the server sent a challenge, which the attestation method `{method}` does not have',
    hint: 'check that server and agent are of compatible versions',
    status: 'INTERNAL',
  },
  ATT0203: {
    sentence: 'a join token {problem}',
    hint: 'leave the token out and the server makes one, or choose at least 22 random characters of a-z, A-Z, 0-9, dash and underscore',
    status: 'INVALID_ARGUMENT',
  },
  ATT0301: {
    sentence: 'what was sent for x509pop cannot be read: {problem}',
    hint: 'check that server and agent are of compatible versions',
    status: 'INVALID_ARGUMENT',
  },
  ATT0302: {
    sentence: 'the certificate of the node is not accepted: {problem}',
    hint: 'give the node a current certificate with its intermediates, of an authority in the --x509pop-ca file of the server',
    status: 'PERMISSION_DENIED',
  },
  ATT0303: {
    sentence: 'the node did not prove that it has the key of its certificate',
    hint: 'check that the certificate and the key that the agent was given belong together',
    status: 'PERMISSION_DENIED',
  },
  ATT0304: {
    sentence: 'the node cannot attest with the certificate in `{path}`: {problem}',
    hint: 'give --x509pop-cert the certificate and its intermediates and --x509pop-key its key, both PEM and readable for the agent',
    status: 'FAILED_PRECONDITION',
  },
  ATT0305: {
    sentence: 'the authorities of nodes in `{path}` cannot be used: {problem}',
    hint: 'give --x509pop-ca a PEM file with CA certificates and nothing else',
    status: 'INVALID_ARGUMENT',
  },
  ATT0401: {
    sentence: 'what was sent for k8s_psat cannot be read: {problem}',
    hint: 'give the agent a projected service account token with --k8s-psat-token-file',
    status: 'INVALID_ARGUMENT',
  },
  ATT0402: {
    sentence: 'the Kubernetes token of the node is not accepted: {problem}',
    hint: 'compare the pod of the agent (service account, audience of its projected token) with the --k8s-psat file of the server',
    status: 'PERMISSION_DENIED',
  },
  ATT0403: {
    sentence: 'the API server of the cluster did not answer as it must: {problem}',
    hint: 'check apiServer, caFile and tokenFile in the --k8s-psat file, and that the account of the token may create tokenreviews and get pods and nodes',
    status: 'UNAVAILABLE',
  },
  ATT0404: {
    sentence: 'the clusters in `{path}` cannot be used: {problem}',
    hint: 'correct that place; docs/reference/node-attestation.md has an example of such a file',
    status: 'INVALID_ARGUMENT',
  },
  ATT0405: {
    sentence: 'a cluster cannot be used: {problem}',
    hint: 'correct it; docs/reference/node-attestation.md has an example of such a file',
    status: 'INVALID_ARGUMENT',
  },
  ATT0406: {
    sentence: 'the Kubernetes token in `{path}` cannot be read: {reason}',
    hint: 'give the pod of the agent a projected service account token, and its path by --k8s-psat-token-file',
    status: 'FAILED_PRECONDITION',
  },
  ATT0501: {
    sentence: 'too many attempts to attest came from `{network}` at once',
    hint: 'try again in a moment; agents do that by themselves',
    status: 'RESOURCE_EXHAUSTED',
  },
  ATT0502: {
    sentence: 'the agent said nothing for {seconds} seconds while it was attested',
    hint: 'try again; look for what holds the agent up, or stands between it and the server',
    status: 'ABORTED',
  },
} as const satisfies Record<`ATT${number}`, FaultRow>;
