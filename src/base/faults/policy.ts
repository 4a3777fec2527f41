import type { FaultRow } from './row.js';

export const policyFaults = {
  POL0001: {
    sentence: 'YAML cannot be read here: {problem}',
    hint: 'mind the indentation, and put texts with special characters in quotes',
    status: 'INVALID_ARGUMENT',
  },
  POL0002: {
    sentence: 'the key `{key}` stands twice in one mapping',
    hint: 'keep one of them; a list holds several values under one key',
    status: 'INVALID_ARGUMENT',
  },
  POL0003: {
    sentence: '`{text}` is an anchor, an alias or a merge key of YAML, which policies do not use',
    hint: 'write the value out, or give it a name under `callers:`; put a text that starts with `*` in quotes',
    status: 'INVALID_ARGUMENT',
  },
  POL0004: {
    sentence: 'the tag `{tag}` is not allowed',
    hint: 'leave the tag out; every value here is a text, a number, a list or a mapping',
    status: 'INVALID_ARGUMENT',
  },
  POL0005: {
    sentence: '`{key}` cannot be a key',
    hint: 'write a plain text as the key',
    status: 'INVALID_ARGUMENT',
  },
  POL0006: {
    sentence: 'the file starts with a YAML directive',
    hint: 'remove the line that starts with `%`',
    status: 'INVALID_ARGUMENT',
  },
  POL0007: {
    sentence: 'a second YAML document starts here',
    hint: 'put it into a file of its own, or remove the line `---`',
    status: 'INVALID_ARGUMENT',
  },
  POL0008: {
    sentence: 'the file is empty',
    hint: 'write `version: 1` and the rules, or remove the file',
    status: 'INVALID_ARGUMENT',
  },
  POL0009: {
    sentence: 'the file is too large to be a policy: {problem}',
    hint: 'split it into several files',
    status: 'INVALID_ARGUMENT',
  },
  POL0010: {
    sentence: 'the character `{character}` is not allowed in a policy file',
    hint: 'remove it; characters that cannot be seen are written as escapes in a quoted text',
    status: 'INVALID_ARGUMENT',
  },
  POL0101: {
    sentence: '{what} has no field `{field}`',
    hint: 'docs/reference/policy.md lists the fields there are',
    status: 'INVALID_ARGUMENT',
  },
  POL0102: {
    sentence: '{what} lacks the field `{field}`',
    hint: 'add it',
    status: 'INVALID_ARGUMENT',
  },
  POL0103: {
    sentence: '{what} must be {expected}, not {found}',
    hint: 'write {expected}',
    status: 'INVALID_ARGUMENT',
  },
  POL0104: {
    sentence: '`{version}` is not a version of the policy language that this program reads',
    hint: 'write `version: 1`',
    status: 'INVALID_ARGUMENT',
  },
  POL0105: {
    sentence: '`{field}` of {what} is not supported by this version of the program',
    hint: 'leave it out, or update the program',
    status: 'INVALID_ARGUMENT',
  },
  POL0106: {
    sentence: '`{name}` cannot be the name of {what}',
    hint: 'use 1 to 63 letters, digits, `.`, `_` and `-`, starting with a letter or a digit',
    status: 'INVALID_ARGUMENT',
  },
  POL0107: {
    sentence: 'the trust domain is not valid: {problem}',
    hint: 'use the exact name of the trust domain, as in prod.example',
    status: 'INVALID_ARGUMENT',
  },
  POL0108: {
    sentence: '`{text}` is not a caller: {problem}',
    hint: 'write the name of a trust domain, a colon and a path, as in prod:/ns/shop/sa/web; `*` is one segment, `**` any number',
    status: 'INVALID_ARGUMENT',
  },
  POL0109: {
    sentence: '`{text}` is not an operation',
    hint: 'write a method, a space and a path, as in GET /v1/orders/*',
    status: 'INVALID_ARGUMENT',
  },
  POL0110: {
    sentence: '`{method}` is not an HTTP method',
    hint: 'methods are written in capitals, as in GET; ANY means all of them',
    status: 'INVALID_ARGUMENT',
  },
  POL0111: {
    sentence: 'the path `{path}` is not written as Envoy sees paths: {reason}',
    hint: 'write the path in its canonical form',
    status: 'INVALID_ARGUMENT',
  },
  POL0112: {
    sentence: '`{text}` is not an instant',
    hint: 'write a date such as 2027-01-31, or an instant in UTC such as 2027-01-31T18:00:00Z',
    status: 'INVALID_ARGUMENT',
  },
  POL0113: {
    sentence: '{where} has an `until` and no `reason`',
    hint: 'say in `reason:` why the exception is there',
    status: 'INVALID_ARGUMENT',
  },
  POL0114: {
    sentence: '{where} has {found} of `allow` and `deny`',
    hint: 'give it exactly one of the two; write two rules for both',
    status: 'INVALID_ARGUMENT',
  },
  POL0115: {
    sentence: "the file name `{file}` cannot be part of a rule's name",
    hint: 'rename it: at most 64 letters, digits, `.`, `_`, `-` and `/`',
    status: 'INVALID_ARGUMENT',
  },
  POL0116: {
    sentence: '{what} is an empty list',
    hint: 'name at least one, or remove the rule',
    status: 'INVALID_ARGUMENT',
  },
  POL0117: {
    sentence: 'the `from` of a test must be one caller',
    hint: 'name one SPIFFE ID, such as prod:/ns/shop/sa/web, or a caller that stands for one',
    status: 'INVALID_ARGUMENT',
  },
  POL0118: {
    sentence: '`{call}` is not one call',
    hint: 'write the method and the path of one request, without `ANY` and without stars',
    status: 'INVALID_ARGUMENT',
  },
  POL0201: {
    sentence: '{what} names the unknown caller `{name}`',
    hint: 'define it under `callers:` or `services:`, or write a pattern such as prod:/ns/shop/sa/web',
    status: 'INVALID_ARGUMENT',
  },
  POL0202: {
    sentence: '{where} names the unknown service `{name}`',
    hint: 'define it under `services:`',
    status: 'INVALID_ARGUMENT',
  },
  POL0203: {
    sentence: 'no trust domain has the name `{name}`',
    hint: 'define it under `trustDomains:`',
    status: 'INVALID_ARGUMENT',
  },
  POL0204: {
    sentence: '`{name}` is defined twice',
    hint: 'rename one of them, or remove it',
    status: 'INVALID_ARGUMENT',
  },
  POL0205: {
    sentence: 'the caller `{name}` contains itself',
    hint: 'remove it from the list',
    status: 'INVALID_ARGUMENT',
  },
  POL0206: {
    sentence: 'no rule has the name `{name}`',
    hint: 'name a rule of this file, or of another as file:rule',
    status: 'INVALID_ARGUMENT',
  },
  POL0207: {
    sentence: 'the trust domain `{trustDomain}` already has the name `{name}`',
    hint: 'use the one name everywhere',
    status: 'INVALID_ARGUMENT',
  },
  POL0208: {
    sentence: 'callers stand for one another more than {limit} deep',
    hint: 'name the patterns themselves, or fewer groups of groups',
    status: 'INVALID_ARGUMENT',
  },
  POL0301: {
    sentence: 'the rule `{rule}` denies the path `{path}`, which other spellings of the path may get around',
    hint: 'allow the paths that are meant instead: what no rule allows is denied',
    status: 'INVALID_ARGUMENT',
  },
  POL0302: {
    sentence: 'the rule `{rule}` ended at {until}',
    hint: 'remove it',
    status: 'INVALID_ARGUMENT',
  },
  POL0303: {
    sentence: 'no rule allows anybody to call the service `{service}`',
    hint: 'add a rule, or remove the service',
    status: 'INVALID_ARGUMENT',
  },
  POL0501: {
    sentence: 'this test expects {expected}, and the policy says {verdict}, by `{rule}`',
    hint: 'change the rule or the test; `plastron why` shows how the rule decides',
    status: 'FAILED_PRECONDITION',
  },
  POL0502: {
    sentence: 'this test expects `{expected}` to decide, and `{rule}` does',
    hint: 'change `by`, or look for the rule that comes first',
    status: 'FAILED_PRECONDITION',
  },
  POL0503: {
    sentence: 'the answer to this test changes at {instant}',
    hint: 'say in `at:` for which instant the test is meant',
    status: 'FAILED_PRECONDITION',
  },
  POL0601: {
    sentence: 'the policy of service `{service}` is {bytes} bytes for Envoy, more than {limit}',
    hint: 'name callers by patterns instead of one by one, or split the service',
    status: 'FAILED_PRECONDITION',
  },
} as const satisfies Record<`POL${number}`, FaultRow>;
